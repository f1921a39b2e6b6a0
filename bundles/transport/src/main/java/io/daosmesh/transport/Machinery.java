package io.daosmesh.transport;

import io.daosmesh.model.time.Hlc;
import io.daosmesh.transport.client.Connector;
import io.daosmesh.transport.client.RpcClient;
import io.daosmesh.transport.metric.TransportCounters;
import io.daosmesh.transport.server.Listener;
import io.daosmesh.transport.tls.LiveTls;
import io.daosmesh.transport.tls.Sweep;
import io.daosmesh.transport.wire.Identity;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.netty.resources.LoopResources;

/** Threads and shared parts of one transport: event loops, one timer thread. Owner: who opened the transport. */
final class Machinery {
    private static final Logger log = LoggerFactory.getLogger(Machinery.class);

    final Identity identity;
    final Optional<LiveTls> tls;
    final Hlc hlc;
    final LoopResources loops;
    final Scheduler deadlines;
    final TransportCounters counters;
    final RpcClient client;
    private final Connector connector;

    /**
     * @param tls absent in insecure mode; closed with this
     * @param isNode nodes use epoll where it is there; tools use NIO, which starts faster
     * @param loopCount each connection stays on one of these
     */
    Machinery(Identity identity, Optional<LiveTls> tls, boolean isClearData, boolean isNode, int loopCount) {
        this.identity = identity;
        this.tls = tls;
        this.hlc = new Hlc(Machinery::epochNanos);
        String name = isNode ? "daos-net" : "daos-client";
        this.loops = LoopResources.create(name, loopCount, loopCount, true);
        this.deadlines = new SteadyTimer(Schedulers.newSingle(name + "-deadline", true));
        this.counters = new TransportCounters(tls.isPresent() ? "tcp+tls" : "tcp");
        this.connector = new Connector(identity, tls.map(t -> t::client), isClearData, loops, isNode, counters);
        this.client = new RpcClient(connector, hlc, deadlines, counters, Listener.dataMethods());
    }

    /** Follows the files of certificates from now on. */
    void watchCertificates() {
        tls.ifPresent(t -> {
            t.listen(new LiveTls.Watcher() {
                @Override
                public void onRevoked(Sweep sweep) {
                    connector.end(sweep);
                }
            });
            t.watch(LiveTls.PERIOD);
        });
    }

    /** Peers' connections, then the loop (its quiet period in ms), then the timer. Blocks for at most about 3 s. */
    void close(long quietMs) {
        tls.ifPresent(LiveTls::close);
        client.close();
        try {
            loops.disposeLater(Duration.ofMillis(quietMs), Duration.ofSeconds(2))
                    .block(Duration.ofSeconds(3));
        } catch (RuntimeException e) {
            if (!(e.getCause() instanceof TimeoutException)) log.warn("event loop did not stop in time", e);
        }
        deadlines.dispose();
    }

    private static long epochNanos() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }
}
