"""Does a simulated link deliver what it was asked for? Round trips and bandwidths through the proxy, on this machine.

    python -m studies.offload.links

Round trips are of four bytes, beyond those of the loopback without the proxy; bandwidth is of a second and a half of
data that comes back over a faster way.
"""

import socket
import statistics
import threading
import time

from edge_bench.bench.offload.network.echo import echo, round_trips
from edge_bench.bench.offload.network.link import link_from
from edge_bench.bench.offload.network.proxy_process import proxied

ROUND_TRIPS_MS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200)
RATES_MBIT = (1, 2, 5, 10, 20, 50, 100, 200)
SECONDS = 1.5


def rate(port: int, size: int) -> float:
    """Bits a second, from the first bytes that come back to the last."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        sender = threading.Thread(target=connection.sendall, args=(bytes(size),))
        sender.start()
        first = len(connection.recv(1 << 20))
        began, got = time.perf_counter(), first
        while got < size:
            got += len(connection.recv(1 << 20))
        ended = time.perf_counter()
        sender.join()
    return (size - first) * 8 / (ended - began)


def main() -> None:
    trips = [link_from(f"rtt={value}ms") for value in ROUND_TRIPS_MS]
    rates = [link_from(f"rtt=10ms,up={value}Mbit,down=10Gbit") for value in RATES_MBIT]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=echo, args=(listener,), daemon=True).start()
        port = listener.getsockname()[1]
        with proxied([*trips, *rates], "127.0.0.1", port) as links:
            direct = statistics.median(round_trips(port, 1000))
            print(f"the loopback itself: {direct * 1e6:.0f} µs a round trip")
            print(f"the proxy beyond its links: {links.overhead_s * 1e6:.0f} µs a round trip, taken off")
            print("\n| round trip asked for, ms | delivered, median | error | p95 |\n|---|---|---|---|")
            for asked, link in zip(ROUND_TRIPS_MS, trips, strict=True):
                times = round_trips(links.ports[link.name], max(20, min(1000, int(2000 / asked))))
                got, p95 = (statistics.median(times) - direct) * 1e3, times[int(0.95 * len(times))]
                print(f"| {asked} | {got:.3f} | {100 * (got / asked - 1):+.1f} % | {(p95 - direct) * 1e3:.3f} |")
            print("\n| bandwidth asked for, Mbit/s | delivered | error |\n|---|---|---|")
            for asked, link in zip(RATES_MBIT, rates, strict=True):
                got = rate(links.ports[link.name], int(asked * 1e6 / 8 * SECONDS)) / 1e6
                print(f"| {asked} | {got:.2f} | {100 * (got / asked - 1):+.1f} % |")
        listener.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    main()
