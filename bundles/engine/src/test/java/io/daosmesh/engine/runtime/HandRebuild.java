package io.daosmesh.engine.runtime;

import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.port.EngineMigration;
import io.daosmesh.model.port.EngineMigration.GroupPart;
import io.daosmesh.model.port.EngineMigration.StoredGroup;
import io.daosmesh.model.port.EngineMigration.Wanted;
import java.nio.ByteBuffer;
import java.util.List;
import reactor.core.publisher.Flux;

/** What the rebuild bundle does, without its network. */
final class HandRebuild {
    private HandRebuild() {}

    /** @param deadRank is no source; -1 = all are there */
    static void run(MiniMesh mesh, int deadRank) {
        PoolMap map = mesh.map;
        long stable = Flux.fromIterable(map.ranks())
                .filter(r -> r != deadRank)
                .flatMap(r -> mesh.engines.get(r).migration().fence(mesh.pool, map.version()))
                .reduce(0L, Math::max)
                .block(MiniMesh.WAIT);
        for (PoolTarget source : map.targets()) {
            if (source.rank() == deadRank) continue;
            EngineMigration from = mesh.engines.get(source.rank()).migration();
            List<EngineMigration.StoredObject> objects =
                    from.scan(mesh.pool, source.index()).collectList().block(MiniMesh.WAIT);
            for (EngineMigration.StoredObject o : objects) move(mesh, source, o, stable);
        }
    }

    private static void move(MiniMesh mesh, PoolTarget source, EngineMigration.StoredObject o, long stable) {
        for (int g = 0; g < o.oid().groupCount(); g++) {
            ShardGroup group = Placement.group(mesh.map, o.oid(), g);
            if (!group.isAvailable() || group.leader() != source.id()) continue;
            StoredGroup stored = new StoredGroup(o.container(), o.oid(), g);
            // each batch comes twice: a resend must change nothing
            for (int destination : group.missing())
                for (int again = 0; again < 2; again++) copy(mesh, source, stored, destination, stable);
        }
    }

    private static void copy(MiniMesh mesh, PoolTarget source, StoredGroup g, int destination, long stable) {
        PoolTarget t = mesh.map.target(destination);
        EngineMigration to = mesh.engines.get(t.rank()).migration();
        mesh.engines
                .get(source.rank())
                .migration()
                .export(mesh.pool, source.index(), new Wanted(new GroupPart(g, List.of()), stable, false, true))
                .concatMap(b -> {
                    ByteBuffer copy = ByteBuffer.allocateDirect(b.data().remaining());
                    copy.put(0, b.data(), b.data().position(), b.data().remaining());
                    b.onDone().run();
                    return to.importBatch(mesh.pool, t.index(), g.container(), g.oid(), b.records(), copy);
                })
                .blockLast(MiniMesh.WAIT);
    }
}
