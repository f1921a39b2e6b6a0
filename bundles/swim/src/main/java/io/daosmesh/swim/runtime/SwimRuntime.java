package io.daosmesh.swim.runtime;

import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.Membership;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.port.Ras;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcServer;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.swim.MemberState;
import io.daosmesh.swim.SwimConfig;
import io.daosmesh.swim.SwimConfig.Limits;
import io.daosmesh.swim.SwimConfig.Probe;
import io.daosmesh.swim.SwimConfig.Suspect;
import io.daosmesh.swim.SwimCounts;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Failure detection as a service: starts a protocol for every {@link RankIdentity} of the node. Any thread. */
@Component(
        immediate = true,
        configurationPid = "io.daosmesh.swim",
        service = {Membership.class, MetricSource.class})
public final class SwimRuntime implements Membership, MetricSource {
    private static final Logger LOG = LoggerFactory.getLogger(SwimRuntime.class);

    /** How many services name each identity: a replaced management bundle may publish the new before the old is gone. */
    private final Map<RankIdentity, Integer> identities = new ConcurrentHashMap<>();

    private final Map<Maps, AutoCloseable> followed = new ConcurrentHashMap<>();
    private final SwimNode node;
    private final Duration swapBound;
    private volatile @Nullable Ras ras;

    @Activate
    public SwimRuntime(
            @Reference(policyOption = ReferencePolicyOption.GREEDY) Rpc rpc,
            @Reference(policyOption = ReferencePolicyOption.GREEDY) RpcServer server,
            SwimOptions options) {
        SwimConfig config = toConfig(options);
        swapBound = Duration.ofMillis(options.swim_swap_bound_ms());
        LOG.info("failure detection starts with {}", config);
        node = new SwimNode(config, rpc, server, new Hlc(SwimRuntime::epochNanos), new RasAlarm());
    }

    @Deactivate
    void deactivate() {
        followed.values().forEach(SwimRuntime::close);
        node.close(swapBound);
        LOG.info("failure detection stops; absence of at most {} announced", swapBound);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void bindRank(RankIdentity identity) {
        identities.merge(identity, 1, Integer::sum);
        node.start(identity);
    }

    void unbindRank(RankIdentity identity) {
        if (identities.merge(identity, -1, (count, less) -> count + less == 0 ? null : count + less) == null) {
            node.stop(identity, swapBound);
        }
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void bindMaps(Maps service) {
        followed.put(service, node.follow(service));
    }

    void unbindMaps(Maps service) {
        AutoCloseable subscription = followed.remove(service);
        if (subscription != null) {
            close(subscription);
        }
    }

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    void bindRas(Ras service) {
        ras = service;
    }

    void unbindRas(Ras service) {
        if (ras == service) {
            ras = null;
        }
    }

    @Override
    public Liveness liveness(int rank) {
        return node.liveness(rank);
    }

    @Override
    public long lastMajorityContactNs(int localRank) {
        return node.lastMajorityContactNs(localRank);
    }

    @Override
    public void announceRestarting(int localRank, Duration bound) {
        node.announceRestarting(localRank, bound);
    }

    @Override
    public AutoCloseable listen(Listener listener) {
        return node.listen(listener);
    }

    @Override
    public void collect(Sink sink) {
        for (LocalRank local : node.locals().values()) {
            Map<String, String> labels = Map.of("rank", Integer.toString(local.rank()));
            SwimCounts counts = local.counts();
            collectMembers(sink, labels, counts);
            SwimCounts.Traffic traffic = counts.traffic();
            SwimCounts.Verdicts verdicts = counts.verdicts();
            sink.gauge(
                    "engine_swim_local_health", "Lifeguard local health, 0 healthy to 8", labels, counts.localHealth());
            sink.gauge("engine_swim_gossip_queued", "News still to be told", labels, counts.gossipQueued());
            sink.counter("engine_swim_probes_total", "Probes sent in turn", labels, traffic.probes());
            sink.counter("engine_swim_probes_failed_total", "Probes without answer", labels, traffic.probesFailed());
            sink.counter("engine_swim_messages_sent_total", "Gossip messages sent", labels, traffic.sent());
            sink.counter("engine_swim_messages_received_total", "Gossip messages received", labels, traffic.received());
            sink.counter(
                    "engine_swim_messages_dropped_total",
                    "Gossip messages dropped because a queue was full",
                    labels,
                    node.droppedCount());
            sink.counter(
                    "engine_swim_messages_foreign_total",
                    "Gossip messages dropped because their sender is not the node of the rank they are from",
                    labels,
                    node.foreignCount());
            sink.counter("engine_swim_suspicions_total", "Ranks suspected", labels, verdicts.suspicions());
            sink.counter("engine_swim_refutations_total", "Own suspicions refuted", labels, verdicts.refutations());
            sink.counter("engine_swim_deaths_total", "Ranks declared or learnt dead", labels, verdicts.deaths());
            sink.counter("engine_swim_late_loops_total", "Own loop was late", labels, verdicts.lateLoops());
            sink.counter("engine_events_dead_ranks", "Number of dead rank events received", labels, verdicts.deaths());
        }
    }

    private static void collectMembers(Sink sink, Map<String, String> labels, SwimCounts counts) {
        for (MemberState state : MemberState.values()) {
            Map<String, String> byState = new TreeMap<>(labels);
            byState.put("state", state.name().toLowerCase(Locale.ROOT));
            sink.gauge(
                    "engine_swim_members",
                    "Other members by state",
                    byState,
                    counts.byState().getOrDefault(state, 0));
        }
    }

    private final class RasAlarm implements SwimNode.Alarm {
        @Override
        public void rankDied(int rank, long incarnation, String reason) {
            raise(RasId.SWIM_RANK_DEAD, "SWIM marked rank as dead.", rank, incarnation);
        }

        @Override
        public void rankLives(int rank, long incarnation) {
            raise(RasId.SWIM_RANK_ALIVE, "SWIM marked rank as alive.", rank, incarnation);
        }

        private void raise(RasId id, String text, int rank, long incarnation) {
            Ras service = ras;
            if (service != null) {
                Map<String, String> fields =
                        Map.of("rank", Integer.toString(rank), "inc", Long.toHexString(incarnation));
                service.raise(id, Severity.NOTICE, text, fields);
            }
        }
    }

    /** Turned once into the checked, immutable form. */
    private static SwimConfig toConfig(SwimOptions options) {
        Limits limits = SwimConfig.defaults().limits();
        return new SwimConfig(
                new Probe(
                        SwimConfig.ms(options.swim_period_ms()),
                        SwimConfig.ms(options.swim_ping_timeout_ms()),
                        SwimConfig.ms(options.swim_indirect_timeout_ms()),
                        SwimConfig.ms(options.swim_tick_ms()),
                        SwimConfig.ms(options.swim_late_ms())),
                new Suspect(
                        SwimConfig.ms(options.swim_suspicion_ms()),
                        options.swim_suspicion_factor(),
                        options.swim_confirmations(),
                        SwimConfig.ms(options.swim_boot_grace_ms()),
                        SwimConfig.ms(options.swim_restart_max_ms())),
                limits);
    }

    private static long epochNanos() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }

    private static void close(AutoCloseable closeable) {
        try {
            closeable.close();
        } catch (Exception e) {
            LOG.debug("while closing: {}", e.toString());
        }
    }
}
