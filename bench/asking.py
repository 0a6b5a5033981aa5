"""A small load generator: raw keep-alive connections, one thread each, so that the measured side gets the cores."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from urllib.parse import urlsplit


def ask(url: str, headers: dict[str, str], until: float, times: list[float], problems: list[str]) -> None:
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"GET {target} HTTP/1.1",
        f"Host: {parts.netloc}",
        *(f"{k}: {v}" for k, v in headers.items()),
        "",
        "",
    ]
    request = "\r\n".join(lines).encode()
    connection = socket.create_connection((parts.hostname or "", parts.port or 80))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while time.perf_counter() < until:
        begun = time.perf_counter()
        connection.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                break
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        if not head:  # the server closed the kept-alive connection
            connection.close()
            connection = socket.create_connection((parts.hostname or "", parts.port or 80))
            continue
        if not head.startswith(b"HTTP/1.1 200"):
            problems.append(head.split(b"\r\n", 1)[0].decode())
            break
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        while len(body) < length:
            body += connection.recv(65536)
        times.append(time.perf_counter() - begun)
    connection.close()


def main() -> None:
    asked = json.loads(sys.stdin.read())
    times: list[float] = []
    problems: list[str] = []
    begun = time.perf_counter()
    until = begun + asked["seconds"]
    threads = [
        threading.Thread(target=ask, args=(asked["url"], asked["headers"], until, times, problems))
        for _ in range(asked["connections"])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems or not times:
        sys.exit(f"not answered with 200: {problems[:3]}")
    elapsed = time.perf_counter() - begun
    times.sort()
    print(
        json.dumps(
            {
                "per_second": len(times) / elapsed,
                "p50": times[len(times) // 2] * 1000,
                "p95": times[int(len(times) * 0.95)] * 1000,
            }
        )
    )


if __name__ == "__main__":
    main()
