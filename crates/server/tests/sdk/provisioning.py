"""A released SCIM test client goes through everything the instance says it can do."""

import os
import ssl
import sys

import httpx2
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

http = httpx2.Client(
    base_url=os.environ["SCIM_BASE_URL"],
    headers={"Authorization": f"Bearer {os.environ['SCIM_TOKEN']}"},
    verify=ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"]),
)
client = SyncSCIMClient(http)
client.discover()
results = check_server(client, raise_exceptions=False)
bad = [result for result in results if result.status in (Status.ERROR, Status.CRITICAL, Status.DEVIATION)]
for result in bad:
    print(result.title, "|", result.status.name, "|", result.reason)
counts = {}
for result in results:
    counts[result.status.name] = counts.get(result.status.name, 0) + 1
print(counts)
if bad:
    sys.exit(1)
print("the conversation is complete")
