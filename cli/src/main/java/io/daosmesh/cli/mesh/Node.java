package io.daosmesh.cli.mesh;

import io.daosmesh.cli.mesh.net.Network;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/**
 * One node of a mesh: its ports, its folder, and what /proc says about its process. Immutable.
 *
 * @param network where it lives; empty = on the loopback of this machine
 */
record Node(Path mesh, int offset, int number, Optional<Network> network) {
    /** How Java writes the words of a command line. */
    private static final Charset ARGUMENTS = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));

    /** As {@code status} shows it. */
    enum State {
        STOPPED,
        PAUSED,
        STARTING,
        RUNNING
    }

    static List<Node> all(Path mesh, MeshSettings settings) {
        return IntStream.rangeClosed(1, settings.shape().nodes())
                .mapToObj(n -> new Node(mesh, settings.offset(), n, settings.network()))
                .toList();
    }

    Path dir() {
        return mesh.resolve("node" + number);
    }

    Path log(String name) {
        return dir().resolve("log").resolve(name);
    }

    Ports ports() {
        return Ports.of(offset, number);
    }

    String host() {
        return network.map(n -> n.host(number)).orElse("127.0.0.1");
    }

    String control() {
        return host() + ":" + ports().control();
    }

    /** What a program's command line begins with that is to run where this node does. */
    List<String> inside() {
        return network.map(n -> n.inside(number)).orElse(List.of());
    }

    // ---------------------------------------------------------------- process

    /** What tells this node's process from all others on its command line. */
    String mark() {
        return "-Ddaosmesh.node.dir=" + dir();
    }

    void started(long pid) throws IOException {
        Texts.replace(dir().resolve("pid"), pid + "\n");
    }

    /** Of the running process. A pid file alone is no proof: the number may belong to another program by now. */
    OptionalLong pid() throws IOException {
        String pid = Texts.read(dir().resolve("pid"));
        return pid.matches("[0-9]{1,18}") && isProcess(Long.parseLong(pid))
                ? OptionalLong.of(Long.parseLong(pid))
                : OptionalLong.empty();
    }

    /** True when this process is the node: it is no longer the shell that becomes it. */
    boolean isProcess(long pid) {
        String line = proc(pid + "/cmdline");
        // its bytes, as the process was given them
        String mark = new String(mark().getBytes(ARGUMENTS), StandardCharsets.ISO_8859_1);
        return ("\0" + line).contains("\0" + mark + "\0");
    }

    boolean runs() throws IOException {
        return pid().isPresent();
    }

    State state() throws IOException {
        OptionalLong pid = pid();
        if (pid.isEmpty()) return State.STOPPED;
        String stat = proc(pid.getAsLong() + "/stat");
        // behind the name, which may hold anything
        String letter = stat.substring(stat.lastIndexOf(')') + 1).strip();
        if (letter.isEmpty()) return State.STOPPED;
        if (letter.startsWith("T") || letter.startsWith("t")) return State.PAUSED;
        return isOpen() ? State.RUNNING : State.STARTING;
    }

    /** True when a signal of this name reached the process. */
    boolean signal(String name) throws IOException {
        OptionalLong pid = pid();
        if (pid.isEmpty()) return false;
        Process kill = new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid.getAsLong())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            return kill.waitFor() == 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    boolean isOpen() {
        return isListening(ports().control());
    }

    boolean isConsoleOpen() {
        return isListening(ports().ssh());
    }

    /** Whoever it is that listens. */
    boolean isListening(int port) {
        return Ports.isListening(network.map(n -> n.sockets(number)).orElseGet(Ports::sockets), port);
    }

    boolean arePortsFree() {
        return ports().all().stream().noneMatch(this::isListening);
    }

    /** Empty for what is not there. */
    static String proc(String file) {
        try {
            return Files.readString(Path.of("/proc", file), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }
}
