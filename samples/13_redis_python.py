"""The other side of 13_redis_python.cpp: redis-py, which knows nothing of buses."""
import os

import redis

server = redis.Redis.from_url(os.environ.get("REDIS_URI", "redis://127.0.0.1:6379"), decode_responses=True)
shipped = server.pubsub()
shipped.subscribe("shop:shipped")
shipped.get_message(timeout=5)  # that it is in force

for order in "book", "lamp":
    server.xadd("shop:orders", {"data": order})  # an event of the topic orders
    message = shipped.get_message(timeout=5)
    print("python: shipped,", message["data"], flush=True)

bills = server.xread({"shop:bills": "0"}, count=2, block=5000)
while sum(len(entries) for _, entries in bills) < 2:
    bills = server.xread({"shop:bills": "0"}, count=2)
for _, fields in bills[0][1]:
    print("python:", fields["data"], flush=True)
