"""A client by redis-py, driven over standard input and output: a request a line, an answer a line, both JSON.

  {"call": "xadd", "args": ["stream", {"data": "hello"}], "kwargs": {"maxlen": 10}}   any method of redis.Redis
  {"pipeline": [{"call": ...}, ...]}                                                  many, sent at once
  {"subscribe": ["channel"], "psubscribe": ["pattern*"]}                              answered once they are in force
  {"messages": 3, "timeout": 20.0}                                                    waits for as many

The answer is {"result": ...} or {"error": "ResponseError: what it says"}. A string stands for bytes: its characters are
U+0000 to U+00FF, a byte each.
"""
import json
import sys
import time

import redis


def to_bytes(value):
    if isinstance(value, str):
        return value.encode("latin-1")
    if isinstance(value, list):
        return [to_bytes(each) for each in value]
    if isinstance(value, dict):
        return {to_bytes(key): to_bytes(each) for key, each in value.items()}
    return value


def to_json(value):
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, (list, tuple, set)):
        return [to_json(each) for each in value]
    if isinstance(value, dict):
        return {to_json(key): to_json(each) for key, each in value.items()}
    return value


def call(client, request):
    method = getattr(client, request["call"])
    options = {key: to_bytes(value) for key, value in request.get("kwargs", {}).items()}
    return method(*to_bytes(request.get("args", [])), **options)


class Peer:
    def __init__(self, url):
        self.client = redis.Redis.from_url(url)
        self.pubsub = self.client.pubsub()

    def answer(self, request):
        if "pipeline" in request:
            pipeline = self.client.pipeline(transaction=False)
            for each in request["pipeline"]:
                call(pipeline, each)
            return pipeline.execute()
        if "messages" in request:
            return self.messages(request["messages"], request["timeout"])
        if "subscribe" in request or "psubscribe" in request:
            return self.subscribe(request.get("subscribe", []), request.get("psubscribe", []))
        return call(self.client, request)

    def subscribe(self, channels, patterns):
        if channels:
            self.pubsub.subscribe(*to_bytes(channels))
        if patterns:
            self.pubsub.psubscribe(*to_bytes(patterns))
        for _ in channels + patterns:
            confirmation = self.pubsub.get_message(timeout=20)
            if confirmation is None or "subscribe" not in confirmation["type"]:
                raise RuntimeError(f"{confirmation} came instead of a confirmation")
        return True

    def messages(self, count, timeout):
        deadline = time.monotonic() + timeout
        received = []
        while len(received) < count and time.monotonic() < deadline:
            message = self.pubsub.get_message(timeout=0.1)
            if message is not None and message["type"] in ("message", "pmessage"):
                received.append(message)
        return received


def main():
    peer = Peer(sys.argv[1])
    for line in sys.stdin:
        try:
            answer = {"result": to_json(peer.answer(json.loads(line)))}
        except Exception as error:  # the test is told, whatever it is
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
