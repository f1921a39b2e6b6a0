package io.daosmesh.cli.mesh.net;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The network of a mesh whose nodes have a network namespace each, joined by a bridge in one more. What is cut in it is lost by the
 * kernel without a word, as between machines; nothing of a node knows of it. Linux as root, with {@code ip} and {@code nsenter}. A
 * FaultException with the reason where that cannot be had. Immutable.
 *
 * @param number tells it from those of other meshes on this machine; 1 to {@value #NUMBER_MAX}
 */
public record Network(int number) {
    /** In the place of a node's number: the tools and clients of the machine itself. */
    public static final int TOOLS = 0;

    static final int NUMBER_MAX = 126;

    /** 198.18.0.0/15 is for tests of networks (RFC 2544, C.2.2): no machine is there. */
    private static final int FIRST_ADDRESS = 198 << 24 | 18 << 16;

    private static final int PREFIX = 22;
    private static final int ADDRESSES = 1 << 32 - PREFIX;
    private static final int TOOLS_ADDRESS = ADDRESSES - 2;
    private static final Path NAMESPACES = Path.of("/run/netns");

    /** Nobody's: what is sent there reaches the bridge, and no more. */
    private static final String NOBODY = "02:00:00:00:00:00";

    public Network {
        if (number < 1 || number > NUMBER_MAX) throw new IllegalArgumentException("network " + number);
    }

    /** Why this machine cannot have one for us; empty when it can. */
    public static Optional<String> missing() {
        if (!"root".equals(System.getProperty("user.name"))) return Optional.of("network namespaces need root");
        for (String program : List.of("ip", "nsenter")) {
            boolean isThere = Arrays.stream(
                            System.getenv().getOrDefault("PATH", "").split(":"))
                    .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
            if (!isThere) return Optional.of("network namespaces need the program " + program);
        }
        return refusalOfOne();
    }

    /** Root in a container may not be allowed to make one. */
    private static Optional<String> refusalOfOne() {
        String name = "dmesh-try-" + ProcessHandle.current().pid();
        try {
            ip("netns add %s", name);
            ip("netns del %s", name);
            return Optional.empty();
        } catch (FaultException e) {
            return Optional.of(e.fault().message());
        }
    }

    /** One that no mesh of this machine has. */
    public static Network free() {
        missing().ifPresent(why -> {
            throw refused(why);
        });
        return IntStream.rangeClosed(1, NUMBER_MAX)
                .mapToObj(Network::new)
                .filter(n -> !Files.exists(NAMESPACES.resolve(n.hub())))
                .findFirst()
                .orElseThrow(() -> refused("all " + NUMBER_MAX + " networks are in use"));
    }

    /** Address of a node. */
    public String host(int node) {
        int address = FIRST_ADDRESS + number * ADDRESSES + (node == TOOLS ? TOOLS_ADDRESS : node);
        return (address >>> 24) + "." + (address >>> 16 & 255) + "." + (address >>> 8 & 255) + "." + (address & 255);
    }

    private String hub() {
        return "dmesh" + number;
    }

    private String namespace(int node) {
        return hub() + "-" + node;
    }

    /**
     * Makes what a node needs of it; does nothing when it is there. A FaultException when another mesh has taken it meanwhile.
     *
     * @param mesh whose it is: one word
     */
    public void raise(int node, String mesh) {
        String hub = hub();
        if (Files.exists(NAMESPACES.resolve(hub))) {
            if (!isOf(mesh)) throw refused("network " + number + " is in use by another mesh: stop that one first");
        } else {
            ip("netns add %s", hub);
            ip("-n %s link add hub type bridge", hub);
            ip("-n %s link set hub alias %s", hub, mesh);
            ip("-n %s link set hub up", hub);
            ip("link add %s type veth peer name tools netns %s", hub, hub);
            ip("-n %s link set tools master hub up", hub);
            ip("addr add %s/%d dev %s", host(TOOLS), PREFIX, hub);
            ip("link set %s up", hub);
        }
        String own = namespace(node);
        if (Files.exists(NAMESPACES.resolve(own))) return;
        ip("netns add %s", own);
        ip("-n %s link set lo up", own);
        ip("-n %s link add eth0 type veth peer name node%d netns %s", own, node, hub);
        ip("-n %s link set node%d master hub up", hub, node);
        ip("-n %s addr add %s/%d dev eth0", own, host(node), PREFIX);
        ip("-n %s link set eth0 up", own);
    }

    private boolean isOf(String mesh) {
        return run(List.of("ip", "-n", hub(), "link", "show", "hub")).contains("alias " + mesh);
    }

    /** Removes all of it, if it is that mesh's; the nodes 1 to {@code nodes} have ended. */
    public void lower(int nodes, String mesh) {
        if (!Files.exists(NAMESPACES.resolve(hub())) || !isOf(mesh)) return;
        for (int n = 1; n <= nodes; n++)
            if (Files.exists(NAMESPACES.resolve(namespace(n)))) ip("netns del %s", namespace(n));
        ip("netns del %s", hub());
    }

    /** What a program's command line begins with that is to run where a node does. */
    public List<String> inside(int node) {
        return List.of("nsenter", "--net=" + NAMESPACES.resolve(namespace(node)));
    }

    /** The kernel's tables of the TCP sockets of a node; none before it was raised. */
    public String sockets(int node) {
        if (!Files.exists(NAMESPACES.resolve(namespace(node)))) return "";
        List<String> line = new ArrayList<>(inside(node));
        line.addAll(List.of("cat", "/proc/net/tcp", "/proc/net/tcp6"));
        return run(line);
    }

    /** From now on nothing that the one sends reaches the other; either may be {@link #TOOLS}. */
    public void cut(int from, int to) {
        ip("%s neigh replace %s lladdr %s dev %s nud permanent", at(from), host(to), NOBODY, device(from));
    }

    /** Ends all cuts of what the one sends. */
    public void heal(int from) {
        ip("%s neigh flush dev %s nud permanent", at(from), device(from));
    }

    private String at(int node) {
        return node == TOOLS ? "-4" : "-n " + namespace(node);
    }

    private String device(int node) {
        return node == TOOLS ? hub() : "eth0";
    }

    private static void ip(String format, Object... args) {
        List<String> line = new ArrayList<>(List.of("ip"));
        line.addAll(List.of(String.format(Locale.ROOT, format, args).split(" ")));
        run(line);
    }

    private static String run(List<String> line) {
        String said;
        int status;
        try {
            Process p = new ProcessBuilder(line).redirectErrorStream(true).start();
            p.getOutputStream().close();
            said = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            status = p.waitFor();
        } catch (IOException e) {
            throw refused(String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw refused("interrupted");
        }
        if (status != 0) throw refused(String.join(" ", line) + ": " + said.strip());
        return said;
    }

    private static RuntimeException refused(String why) {
        return Fault.of(FaultCode.NOTSUPPORTED, why).asException();
    }
}
