package io.daosmesh.cli.mesh;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.admin.grammar.RankSet;
import io.daosmesh.cli.dmg.Dmg;
import io.daosmesh.cli.dmg.DmgConfig;
import io.daosmesh.cli.dmg.DmgRoot;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.wire.EngineStatusMessage;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.NodeStatusReply;
import io.daosmesh.transport.ClientSettings;
import io.daosmesh.transport.ClientTransport;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Formats nodes and waits for their ranks, by asking the nodes. Owner: the main thread. */
final class Joining implements AutoCloseable {
    private static final Duration JOIN_MAX = Duration.ofSeconds(90);

    /** A format that failed: perhaps an earlier run was interrupted right after it. */
    private static final Duration JOIN_AGAIN_MAX = Duration.ofSeconds(10);

    /** Engines have opened their storage by then, or said why not. */
    private static final Duration STORAGE_MAX = Duration.ofSeconds(20);

    private static final Duration CALL_MAX = Duration.ofSeconds(10);
    private static final Set<String> SETTLED = Set.of("READY", "FAILED", "AWAIT_FORMAT");

    private final Path mesh;
    private final List<Node> nodes;
    private final ClientTransport transport;
    private final AdminCalls calls;

    Joining(Path mesh, List<Node> nodes) {
        this.mesh = mesh;
        this.nodes = nodes;
        DmgConfig config = DmgConfig.read(ConfigFiles.control(mesh));
        transport = ClientTransport.openUnchecked(new ClientSettings(Role.ADMIN, config.system(), config.tls()));
        calls = new AdminCalls(transport.rpc(), config.hosts(), CALL_MAX, CALL_MAX);
    }

    /** Formats those that never were, all in one request, and waits until every rank is Joined; its members. */
    List<MemberMessage> formatAndJoin(int ranks) throws IOException {
        List<Node> fresh =
                nodes.stream().filter(n -> !Files.exists(formatted(n))).toList();
        String said = "";
        Duration max = JOIN_MAX;
        if (!fresh.isEmpty()) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            List<String> controls = fresh.stream().map(Node::control).toList();
            awaitAnswers(controls);
            String hosts = String.join(",", controls);
            boolean isDone = dmg(out, "storage", "format", "-l", hosts) == 0;
            said = out.toString(StandardCharsets.UTF_8);
            if (isDone) for (Node n : fresh) Texts.mark(formatted(n));
            else max = JOIN_AGAIN_MAX;
        }
        List<MemberMessage> members = new ArrayList<>();
        boolean isJoined = Waiting.until(max, Waiting.PATIENT, () -> isHopeless() || areJoined(ranks, members));
        if (isJoined && joined(members) + excluded(members).size() >= ranks) {
            for (Node n : fresh) Texts.mark(formatted(n));
            if (!excluded(members).isEmpty())
                System.err.printf(
                        Locale.ROOT,
                        "mesh: ranks %s stay out until ./mesh dmg system clear-exclude --ranks %1$s%n",
                        RankSet.plain(excluded(members)));
            return members;
        }
        System.err.print(said);
        dmg(System.err, "system", "query");
        failures().forEach((node, fault) -> System.err.println("ERROR: node " + node.number() + ": " + fault));
        throw MeshException.failed("not all %d ranks are Joined: see ./mesh logs N", ranks);
    }

    /** A node that was started a moment ago takes a while to answer; one request to all must not fail for it. */
    private void awaitAnswers(List<String> controls) throws IOException {
        Waiting.until(
                JOIN_MAX,
                Waiting.PATIENT,
                () -> hasEnded() || calls.nodeStatus(controls).replies().size() == controls.size());
    }

    private static Path formatted(Node node) {
        return node.dir().resolve("formatted");
    }

    /** Waiting any longer changes nothing. */
    private boolean isHopeless() throws IOException {
        return hasEnded() || !failures().isEmpty();
    }

    private boolean hasEnded() throws IOException {
        for (Node node : nodes) if (!node.runs()) return true;
        return false;
    }

    private boolean areJoined(int ranks, List<MemberMessage> members) {
        try {
            members.clear();
            members.addAll(calls.systemQuery(List.of()).getGroupMap().getMembersList());
            return joined(members) + excluded(members).size() >= ranks;
        } catch (FaultException e) {
            return false;
        }
    }

    private static long joined(List<MemberMessage> members) {
        return members.stream()
                .filter(m -> m.getState() == MemberMessage.State.JOINED)
                .count();
    }

    /** By an administrator: they do not join, and nothing is wrong with that. */
    static List<Integer> excluded(List<MemberMessage> members) {
        return members.stream()
                .filter(m -> m.getState() == MemberMessage.State.ADMIN_EXCLUDED)
                .map(MemberMessage::getRank)
                .toList();
    }

    /** Of engines that could not open their storage; one a node. */
    private Map<Node, String> failures() {
        Map<Node, String> failures = new LinkedHashMap<>();
        for (Node node : nodes) {
            NodeStatusReply status = status(node);
            if (status != null && !failure(status).isEmpty()) failures.put(node, failure(status));
        }
        return failures;
    }

    /** Null when it does not answer soon. */
    private @Nullable NodeStatusReply status(Node node) {
        return calls.nodeStatus(List.of(node.control())).replies().get(node.control());
    }

    private static String failure(NodeStatusReply status) {
        return status.getEnginesList().stream()
                .filter(e -> e.getStorageState().equals("FAILED"))
                .findFirst()
                .map(e -> "storage of engine " + e.getIndex() + " failed: " + e.getFault())
                .orElse("");
    }

    /** A node with an engine that cannot be opened goes on with its other engines; whoever started it is told. */
    void checkStorage(Node node) throws IOException {
        Waiting.until(STORAGE_MAX, Waiting.PATIENT, () -> isSettled(node) || !node.runs());
        String failure = failures().getOrDefault(node, "");
        if (failure.isEmpty()) return;
        System.err.println("ERROR: " + failure);
        throw MeshException.failed(
                "node %d runs without all of its storage: see ./mesh logs %d", node.number(), node.number());
    }

    private boolean isSettled(Node node) {
        NodeStatusReply status = status(node);
        return status != null
                && status.getEnginesList().stream()
                        .map(EngineStatusMessage::getStorageState)
                        .allMatch(SETTLED::contains);
    }

    void show() {
        dmg(System.out, "system", "query");
    }

    private int dmg(java.io.OutputStream to, String... words) {
        PrintStream out = new PrintStream(to, true, StandardCharsets.UTF_8);
        PrintStream err = to == System.out ? System.err : out;
        List<String> line =
                new ArrayList<>(List.of("-o", ConfigFiles.control(mesh).toString()));
        line.addAll(List.of(words));
        return Dmg.run(new DmgRoot(out, err), line.toArray(String[]::new));
    }

    @Override
    public void close() {
        transport.close();
    }
}
