package io.daosmesh.client.request;

import io.daosmesh.client.hedge.Watch;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolMap;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/** What happens between two tries of an object request. Immutable. */
final class Recovering {
    /** A value that is damaged or that a device does not give is asked for so often before the caller hears of it: the leader, then other replicas. */
    private static final int DAMAGE_TRIES_MAX = 4;

    /** A service that elects its leader holds up nobody whose map is still good: its answer is awaited elsewhere. */
    private static final Duration REFRESH_LIMIT = Duration.ofSeconds(2);

    private final Cluster cluster;
    private final PoolMaps maps;

    Recovering(Cluster cluster, PoolMaps maps) {
        this.cluster = cluster;
        this.maps = maps;
    }

    /** For updates and punches: always to the leader. A damaged request is simply sent again. */
    Retrying.Recovery forChange() {
        return new ForRead(false);
    }

    ForRead forRead() {
        return new ForRead(true);
    }

    /** Recovery of one call. Owner: the call. */
    final class ForRead implements Retrying.Recovery {
        private final boolean mayReadElsewhere;
        private int replica;
        private long epoch;
        private int damageTries;
        private @Nullable Fault damage;
        private long unavailableVersion;

        private ForRead(boolean mayReadElsewhere) {
            this.mayReadElsewhere = mayReadElsewhere;
        }

        /** 0 = leader. */
        int replica() {
            return replica;
        }

        /** For another replica: the one the leader has given, so that it answers as the leader would. Else 0. */
        long epoch() {
            return epoch;
        }

        @Override
        public boolean mayTryAgain(Fault fault) {
            return fault.code() == FaultCode.DATA_LOSS || Retrying.Recovery.super.mayTryAgain(fault);
        }

        @Override
        public Mono<Void> recover(Fault fault, Retrying.Try failed) {
            if (fault.code() == FaultCode.DATA_LOSS) return afterUnavailable(fault, failed);
            if (fault.code().retry() == FaultCode.Retry.OTHER_REPLICA) return afterDamage(fault, failed);
            replica = 0;
            epoch = 0;
            if (fault.argument(Watch.MAP_IS_NEW).isPresent()) return Mono.empty();
            if (fault.code() == FaultCode.STALE) return afterStale(fault, failed);
            boolean mapsMayHaveChanged = fault.code().retry() == FaultCode.Retry.AFTER_MAP_REFRESH
                    || fault.code().retry() == FaultCode.Retry.AT_HINT
                    || failed.number() > 2;
            return mapsMayHaveChanged ? failed.pause().then(refreshBoth()) : failed.pause();
        }

        private Mono<Void> afterDamage(Fault fault, Retrying.Try failed) {
            Counters count = cluster.counters();
            (fault.code() == FaultCode.CSUM ? count.checksumFailures : count.mediaErrors).increment();
            damage = damage == null ? fault : damage;
            if (++damageTries >= DAMAGE_TRIES_MAX) {
                count.failures.increment();
                return Mono.error(damage.asException());
            }
            long given = fault.argument("epoch").map(Recovering::number).orElse(epoch);
            boolean isElsewhere = mayReadElsewhere && given != 0;
            replica = isElsewhere ? damageTries : 0;
            epoch = isElsewhere ? given : 0;
            return failed.pause();
        }

        /** That every holder is out is believed when the pool service has no newer map. */
        private Mono<Void> afterUnavailable(Fault fault, Retrying.Try failed) {
            replica = 0;
            epoch = 0;
            long had = fault.argument("map_version").map(Recovering::number).orElse(0L);
            if (had != 0 && had == unavailableVersion) {
                cluster.counters().failures.increment();
                return Mono.error(fault.asException());
            }
            return maps.refresh()
                    .timeout(REFRESH_LIMIT)
                    .doOnNext(map -> unavailableVersion = map.version())
                    .then()
                    .onErrorResume(e -> failed.pause());
        }

        /** The first time at once; a server that lags behind our map gets a pause. */
        private Mono<Void> afterStale(Fault fault, Retrying.Try failed) {
            cluster.counters().staleMaps.increment();
            int had = maps.map().version();
            if (failed.number() > 0 && !isBehind(fault, had))
                return failed.pause().then(refreshBoth());
            return refreshBoth().then(Mono.defer(() -> maps.map().version() > had ? Mono.empty() : failed.pause()));
        }

        private boolean isBehind(Fault fault, int version) {
            return fault.argument("need").map(Recovering::number).orElse(0L) > version;
        }
    }

    private static long number(String digits) {
        try {
            return Long.parseUnsignedLong(digits);
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    /** What cannot be fetched now is fetched before the next try: a failure here ends nothing. */
    private Mono<Void> refreshBoth() {
        return Mono.when(atMost(cluster.refresh().then()), atMost(maps.refresh().then()));
    }

    private static Mono<Void> atMost(Mono<Void> refresh) {
        return refresh.timeout(REFRESH_LIMIT, Mono.empty()).onErrorResume(Recovering::mayPass, e -> Mono.empty());
    }

    private static boolean mayPass(Throwable error) {
        return FaultException.faultOf(error).code().retry() != FaultCode.Retry.NEVER;
    }

    /** Every holder of the group is out. Not absent: it is there again when one that holds all of it is back. */
    static RuntimeException unavailable(ObjectId oid, int group, PoolMap map) {
        return Fault.of(FaultCode.DATA_LOSS, "all replicas of object %s, group %d are out", oid, group)
                .with("map_version", map.version())
                .remedy("start the failed ranks again: see dmg pool query")
                .asException();
    }
}
