package io.daosmesh.rebuild.runtime;

import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.port.EngineMigration;
import io.daosmesh.model.port.Maps;
import io.daosmesh.rebuild.scan.Scan;
import java.util.Set;
import java.util.UUID;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Deletes from one rank what has left it. Any thread. */
final class ReclaimIo {
    private final EngineMigration engine;
    private final Maps maps;

    ReclaimIo(EngineMigration engine, Maps maps) {
        this.engine = engine;
        this.maps = maps;
    }

    /** By a map of at least this version, whether it asks for another rebuild or not: that may need the room. */
    Mono<Void> run(UUID pool, int mapVersion) {
        return maps.poolMap(pool, mapVersion)
                .flatMapMany(map -> Flux.fromIterable(Scan.scanned(map, engine.rank()))
                        .concatMap(target ->
                                engine.scan(pool, target.index()).concatMap(object -> reclaim(map, target, object))))
                .then();
    }

    private Mono<Void> reclaim(PoolMap map, PoolTarget target, EngineMigration.StoredObject o) {
        Set<Integer> foreign = Scan.foreignGroups(map, target.id(), o.oid());
        if (foreign.isEmpty()) return Mono.empty();
        return engine.reclaim(map.pool(), target.index(), o.container(), o.oid(), foreign, map.version());
    }
}
