package io.daosmesh.rebuild.runtime;

import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.pool.RebuildStatus;
import io.daosmesh.model.port.EngineMigration;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.MembersOnly;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.PoolServices;
import io.daosmesh.model.port.Ras;
import io.daosmesh.model.port.RebuildProgress;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcServer;
import io.daosmesh.model.time.Hlc;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/**
 * The rebuild service of a node: leads jobs for the pools that this node leads and takes part for each of its ranks. An
 * update of this bundle interrupts rebuilds only: the leader starts them afresh, client I/O does not notice.
 */
@Component(
        immediate = true,
        service = {RebuildProgress.class, MetricSource.class})
public final class RebuildComponent implements RebuildProgress, MetricSource {
    private static final Duration TICK = Duration.ofSeconds(1);

    private final Map<EngineMigration, Rank> ranks = new HashMap<>();
    private final RasRelay ras = new RasRelay();
    private final Loop loop = new Loop("rebuild");
    private final LeaderJobs jobs;
    private final RpcServer server;
    private final Maps maps;
    private final SessionIo.Parts parts;
    private final AutoCloseable listening;
    private final AutoCloseable rated;
    private volatile Map<Integer, RebuildCounters> counters = Map.of();
    private boolean isClosed;

    private record Rank(RankRebuild rebuild, AutoCloseable following) {
        void close() {
            RankRebuild.closeQuietly(following);
            rebuild.close();
        }
    }

    @Activate
    public RebuildComponent(
            @Reference Rpc rpc,
            @Reference RpcServer server,
            @Reference Maps maps,
            @Reference PoolServices pools,
            @Reference Hlc hlc,
            @Reference NodeConfig config) {
        this.server = new MembersOnly(server, maps::isMember);
        this.maps = maps;
        Rates rates = new Rates(loop);
        this.parts = new SessionIo.Parts(loop, rpc, maps, rates);
        this.jobs = new LeaderJobs(new LeaderJobs.Parts(loop, rpc, maps, pools, hlc, config.address(), ras));
        loop.every(TICK, this::onTick);
        this.listening = pools.listen(jobs);
        this.rated = maps.listen(rates);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    synchronized void bindEngine(EngineMigration engine) {
        if (isClosed) return;
        RankRebuild r = new RankRebuild(engine, parts, server);
        ranks.put(engine, new Rank(r, maps.listen(r)));
        r.register();
    }

    synchronized void unbindEngine(EngineMigration engine) {
        Rank r = ranks.remove(engine);
        if (r != null) r.close();
    }

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    void bindRas(Ras service) {
        ras.bind(service);
    }

    void unbindRas(Ras service) {
        ras.unbind(service);
    }

    @Override
    public RebuildStatus status(UUID pool) {
        return jobs.status(pool);
    }

    @Override
    public boolean isFinishing(UUID pool) {
        return jobs.isFinishing(pool);
    }

    private void onTick() {
        List<RankRebuild> all;
        synchronized (this) {
            all = ranks.values().stream().map(Rank::rebuild).toList();
        }
        Map<Integer, RebuildCounters> now = new HashMap<>();
        for (RankRebuild r : all) {
            r.onTick(System.nanoTime());
            r.count(now.computeIfAbsent(r.rank(), k -> new RebuildCounters()));
        }
        counters = now;
    }

    @Override
    public void collect(Sink sink) {
        counters.forEach((rank, c) -> {
            Map<String, String> labels = Map.of("rank", Integer.toString(rank));
            sink.gauge("engine_rebuild_sessions", "Rebuild sessions this rank takes part in", labels, c.sessions());
            sink.gauge("engine_rebuild_objects_waiting", "Objects this rank still has to pull", labels, c.waiting());
            sink.gauge("engine_rebuild_objects", "Objects pulled in the running sessions", labels, c.objects());
            sink.gauge("engine_rebuild_records", "Records pulled in the running sessions", labels, c.records());
            sink.gauge("engine_rebuild_bytes", "Bytes pulled in the running sessions", labels, c.bytes());
        });
    }

    @Deactivate
    void stop() {
        RankRebuild.closeQuietly(listening);
        RankRebuild.closeQuietly(rated);
        synchronized (this) {
            isClosed = true;
            ranks.values().forEach(Rank::close);
            ranks.clear();
        }
        loop.close();
    }
}
