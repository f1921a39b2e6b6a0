package io.daosmesh.engine.runtime.loop;

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
 * @param valueCacheBytes of each engine
 */
public record EngineContext(
        Rpc rpc,
        RpcServer server,
        Maps maps,
        EventLoops loops,
        Hlc hlc,
        Supplier<@Nullable Membership> membership,
        Supplier<@Nullable Ras> ras,
        long valueCacheBytes) {}
