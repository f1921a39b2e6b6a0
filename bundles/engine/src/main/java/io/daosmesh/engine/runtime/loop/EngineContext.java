package io.daosmesh.engine.runtime.loop;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.Membership;
import io.daosmesh.model.port.Ras;
import io.daosmesh.model.rpc.EventLoops;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcServer;
import io.daosmesh.model.time.Hlc;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The services that every rank of this node shares. Immutable.
 *
 * @param membership null while the swim bundle is absent
 * @param ras null while nobody keeps events
 */
public record EngineContext(
        Rpc rpc,
        RpcServer server,
        Maps maps,
        EventLoops loops,
        Hlc hlc,
        Supplier<@Nullable Membership> membership,
        Supplier<@Nullable Ras> ras,
        Settings settings) {
    /**
     * Of every engine of this node; a Fault names the key of what is out of range.
     *
     * @param valueCacheMib MiB of hot values, 0 to 65536
     * @param clockDriftMsMax milliseconds that a start waits at most for a clock that is behind the data, 0 to 60000
     */
    public record Settings(int valueCacheMib, long clockDriftMsMax) {
        private static final int CACHE_MIB_MAX = 65_536;
        private static final long DRIFT_MS_MAX = 60_000;

        public Settings {
            check("value.cache.mib", valueCacheMib, CACHE_MIB_MAX);
            check("clock.drift.max.ms", clockDriftMsMax, DRIFT_MS_MAX);
        }

        private static void check(String key, long value, long max) {
            if (value < 0 || value > max)
                throw Fault.of(FaultCode.INVAL, "%s is 0 to %d, not %d", key, max, value)
                        .asException();
        }

        public long valueCacheBytes() {
            return (long) valueCacheMib << 20;
        }
    }
}
