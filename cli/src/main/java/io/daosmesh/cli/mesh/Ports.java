package io.daosmesh.cli.mesh;

import java.util.List;
import java.util.Locale;

/** The TCP ports of a node; they lie apart from those of all other nodes of meshes with another offset. Immutable. */
public record Ports(int control, int telemetry, int ssh) {
    private static final int CONTROL_BASE = 10_000;
    private static final int TELEMETRY_BASE = 9190;
    private static final int SSH_BASE = 8100;

    public static Ports of(int offset, int node) {
        int more = offset + node;
        return new Ports(CONTROL_BASE + more, TELEMETRY_BASE + more, SSH_BASE + more);
    }

    public List<Integer> all() {
        return List.of(control, telemetry, ssh);
    }

    public boolean areFree() {
        return all().stream().noneMatch(port -> isListening(sockets(), port));
    }

    /** Of this machine, as the kernel shows them. */
    static String sockets() {
        return Node.proc("net/tcp") + Node.proc("net/tcp6");
    }

    /**
     * True when some process listens on this port.
     *
     * @param sockets the kernel's tables of them
     */
    static boolean isListening(String sockets, int port) {
        String local = String.format(Locale.ROOT, ":%04X", port);
        return sockets.lines()
                .map(line -> line.strip().split(" +", 5)) // as 0: 0100007F:2711 00000000:0000 0A
                .anyMatch(words -> words.length == 5 && words[1].endsWith(local) && words[3].equals("0A"));
    }
}
