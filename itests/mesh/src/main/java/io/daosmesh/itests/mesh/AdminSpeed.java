package io.daosmesh.itests.mesh;

import com.google.protobuf.MessageLite;
import io.daosmesh.admin.AdminCalls;
import io.daosmesh.cli.dmg.Dmg;
import io.daosmesh.cli.dmg.DmgConfig;
import io.daosmesh.cli.dmg.DmgRoot;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.JoinRequest;
import io.daosmesh.model.wire.SystemQueryReply;
import io.daosmesh.transport.ClientSettings;
import io.daosmesh.transport.ClientTransport;
import io.daosmesh.transport.ServerSettings;
import io.daosmesh.transport.ServerTransport;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import reactor.core.publisher.Flux;

/** How long an administrator waits: for a pool, for an event, and for the list of a large system. */
final class AdminSpeed {
    static final int MEMBERS = 1000;
    private static final Duration CALL_MAX = Duration.ofSeconds(20);
    private static final Duration EVENT_MAX = Duration.ofSeconds(60);
    private static final int JOINS_AT_ONCE = 8;
    private static final int POOLS = 7;
    private static final int EVENTS = 5;

    private final LocalMesh mesh;
    private final Report report;

    AdminSpeed(LocalMesh mesh, Report report) {
        this.mesh = mesh;
        this.report = report;
    }

    /** On a default mesh. The first pools of a node load classes: the median is that of a node in use. */
    void pools() {
        List<Double> seconds = new ArrayList<>();
        for (int i = 0; i < POOLS; i++) {
            String label = "speed" + i;
            seconds.add(Bench.medianOf(
                    1,
                    () -> mesh.dmg("pool", "create", label, "--size", "300MB").orFail()));
            mesh.dmg("pool", "destroy", label).orFail();
        }
        report.single("dmg_pool_create_first_s", seconds.get(0), 1.5);
        Collections.sort(seconds);
        report.single("dmg_pool_create_s", seconds.get(POOLS / 2), 1.5);
    }

    /** From the time an event bears, which its node gave it, to the line that a follower prints. */
    void events() throws IOException {
        mesh.dmg("pool", "create", "events", "--size", "300MB").orFail();
        String config = mesh.dir().resolve("daos_control.yml").toString();
        Arrivals arrivals = new Arrivals(Instant.now());
        PrintStream out = new PrintStream(arrivals, false, StandardCharsets.UTF_8);
        DmgRoot root = new DmgRoot(out, System.err);
        Thread follower =
                new Thread(() -> Dmg.run(root, "-o", config, "-j", "system", "events", "--follow"), "follower");
        follower.setDaemon(true);
        follower.start();
        int rank = mesh.nodes().get(mesh.nodes().size() - 1).rank();
        for (int i = 0; arrivals.count() < EVENTS; i++) {
            int before = arrivals.count();
            mesh.dmg("pool", i % 2 == 0 ? "exclude" : "reintegrate", "events", "--rank", String.valueOf(rank));
            LocalMesh.await("an event at the follower", EVENT_MAX, () -> arrivals.count() > before);
        }
        report.single("event_to_follower_ms", arrivals.largestMs(), 1000);
        arrivals.close();
    }

    /** Members without engines: all that counts is the list. Needs a mesh of one node without certificates. */
    void members() {
        DmgConfig config = DmgConfig.read(mesh.dir().resolve("daos_control.yml"));
        String node = mesh.controls().get(0);
        try (ServerTransport others =
                ServerTransport.open(new ServerSettings(config.system(), "", "127.0.0.1", 0, config.tls(), 1))) {
            Flux.range(1, MEMBERS - mesh.nodes().size())
                    .flatMap(
                            i -> others.rpc()
                                    .call(
                                            Endpoint.node(node),
                                            RpcMethod.JOIN,
                                            RpcMessage.of(join(config.system(), others, i)),
                                            CALL_MAX,
                                            reply -> true),
                            JOINS_AT_ONCE)
                    .blockLast();
            queries(config, node);
        }
    }

    private static MessageLite join(String system, ServerTransport others, int number) {
        return JoinRequest.newBuilder()
                .setSystem(system)
                .setUuid(Ids.bytes(new UUID(1, number)))
                .setWantedRank(-1)
                .setAddress(others.address())
                .setFaultDomain("/rack" + number / 40 + "/node" + number)
                .setIncarnation(others.hlc().now())
                .setTargetCount(8)
                .build();
    }

    private void queries(DmgConfig config, String node) {
        try (ClientTransport transport =
                ClientTransport.open(new ClientSettings(Role.ADMIN, config.system(), config.tls()))) {
            AdminCalls calls = new AdminCalls(transport.rpc(), List.of(node), CALL_MAX, CALL_MAX);
            int shown = calls.systemQuery(List.of()).getGroupMap().getMembersCount();
            if (shown != MEMBERS) throw new IllegalStateException(shown + " members");
            report.single("system_query_1000_first_ms", 1000 * Bench.medianOf(1, () -> query(calls)), 50);
            Bench.medianOf(100, () -> query(calls));
            report.single("system_query_1000_ms", 1000 * Bench.medianOf(51, () -> query(calls)), 50);
        }
    }

    private static void query(AdminCalls calls) {
        SystemQueryReply reply = calls.systemQuery(List.of());
        if (reply.getGroupMap().getMembersCount() != MEMBERS) throw new IllegalStateException("members are missing");
    }

    /** Lines of JSON, each with the delay of its event; those from before are left out. Written by one thread. */
    private static final class Arrivals extends OutputStream {
        private final Instant begin;
        private final StringBuilder line = new StringBuilder();
        private final List<Long> delaysMs = Collections.synchronizedList(new ArrayList<>());
        private volatile boolean isClosed;

        Arrivals(Instant begin) {
            this.begin = begin;
        }

        @Override
        public void write(int b) throws IOException {
            // the follower ends with its reader
            if (isClosed) throw new IOException("closed");
            if (b != '\n') {
                line.append((char) b);
                return;
            }
            Instant at = OffsetDateTime.parse(
                            LocalMesh.json(line.toString()).path("timestamp").asText())
                    .toInstant();
            if (at.isAfter(begin))
                delaysMs.add(Duration.between(at, Instant.now()).toMillis());
            line.setLength(0);
        }

        int count() {
            return delaysMs.size();
        }

        long largestMs() {
            return Collections.max(delaysMs);
        }

        @Override
        public void close() {
            isClosed = true;
        }
    }
}
