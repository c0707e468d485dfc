"""Collection runs."""

from ocs_core.usecases.cancel_process_run import CancelProcessRun
from ocs_core.usecases.create_account import CreateAccount
from ocs_core.usecases.start_collection_run import StartCollectionRun
from ocs_http.operations.operation import Operation

OPERATIONS = (
    Operation(
        "/v1/rm/processes/calculate-collection-balance",
        StartCollectionRun,
        "collection:run",
        {
            "requestId": "operations-2024-05-14-000011",
            "dryRun": True,
        },
        after=(CreateAccount,),
        starts_run=True,
        longest_body=500_000,
    ),
    Operation(
        "/v1/rm/processes/cancel-process-run",
        CancelProcessRun,
        "collection:cancel",
        {
            "requestId": "operations-2024-05-14-000012",
            "refId": "018f768b-6d00-7000-8000-000000000016",
        },
        after=(StartCollectionRun,),
    ),
)
