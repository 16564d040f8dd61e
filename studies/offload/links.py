"""Round trips and bandwidths that simulated links deliver, compared with the requested ones.

    python -m studies.offload.links

Round trips are of four bytes through the proxy on this machine, minus those over loopback without the proxy. Bandwidth
is that of a simulated uplink for 1.5 seconds of data, which an echo server returns over a faster downlink.
Takes about half a minute and has no options. Figures: docs/offload.md.
"""

import socket
import statistics
import threading
import time

from edge_bench.bench.offload.network.echo import echo, round_trips
from edge_bench.bench.offload.network.link_profiles import link_from
from edge_bench.bench.offload.network.proxy_process import proxied

ROUND_TRIPS_MS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200)
RATES_MBIT = (1, 2, 5, 10, 20, 50, 100, 200)
TRANSFER_SECONDS = 1.5


def rate(port: int, size: int) -> float:
    """Return the bits per second of ``size`` echoed bytes, from the first byte received to the last."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        sender = threading.Thread(target=connection.sendall, args=(bytes(size),))
        sender.start()
        first = len(connection.recv(1 << 20))
        began, received = time.perf_counter(), first
        while received < size:
            received += len(connection.recv(1 << 20))
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
            print(f"loopback alone: {direct * 1e6:.0f} µs per round trip")
            print(f"overhead of the proxy: {links.overhead_s * 1e6:.0f} µs per round trip, subtracted")
            print("\n| requested round trip, ms | delivered, median | error | p95 |\n|---|---|---|---|")
            for requested, link in zip(ROUND_TRIPS_MS, trips, strict=True):
                times = round_trips(links.ports[link.name], max(20, min(1000, int(2000 / requested))))
                median, p95 = (statistics.median(times) - direct) * 1e3, times[int(0.95 * len(times))]
                error = 100 * (median / requested - 1)
                print(f"| {requested} | {median:.3f} | {error:+.1f} % | {(p95 - direct) * 1e3:.3f} |")
            print("\n| requested bandwidth, Mbit/s | delivered | error |\n|---|---|---|")
            for requested, link in zip(RATES_MBIT, rates, strict=True):
                mbit = rate(links.ports[link.name], int(requested * 1e6 / 8 * TRANSFER_SECONDS)) / 1e6
                print(f"| {requested} | {mbit:.2f} | {100 * (mbit / requested - 1):+.1f} % |")
        listener.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    main()
