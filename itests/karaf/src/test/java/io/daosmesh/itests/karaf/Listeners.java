package io.daosmesh.itests.karaf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The TCP ports on which this machine listens, with their addresses as the kernel prints them. */
final class Listeners {
    private static final String LISTEN = "0A";
    private static final List<String> LOOPBACKS = List.of(
            "0100007F", // 127.0.0.1, bytes swapped
            "0000000000000000FFFF00000100007F", // the same, mapped into IPv6
            "00000000000000000000000001000000"); // ::1

    private final Map<Integer, String> addresses = new HashMap<>();

    Listeners() throws IOException {
        for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
            if (!Files.exists(Path.of(table))) continue;
            for (String line : Files.readAllLines(Path.of(table))) {
                String[] words = line.strip().split(" +");
                if (!words[3].equals(LISTEN)) continue;
                String[] local = words[1].split(":");
                addresses.merge(Integer.parseInt(local[1], 16), local[0], (one, other) -> one + "," + other);
            }
        }
    }

    boolean isOpen(int port) {
        return addresses.containsKey(port);
    }

    boolean isBeyondLoopback(int port) {
        return isOpen(port)
                && !LOOPBACKS.containsAll(List.of(addresses.get(port).split(",")));
    }

    @Override
    public String toString() {
        return addresses.toString();
    }
}
