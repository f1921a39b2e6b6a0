package io.daosmesh.engine.object;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.dtx.DtxTable;
import io.daosmesh.engine.target.StagedOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.wire.DtxRefMessage;
import io.daosmesh.model.wire.MigratedRecordMessage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * The ids of a group's updates, as rebuild carries them behind its records: a new holder must know an update that a client
 * sends again, also when nobody else is left who could tell. Owner: target loop.
 */
final class CarriedIds {
    /** Behind the kinds of records. Its message carries the group's hash as its offset. */
    private static final int KIND = VosRecord.PUNCH_EXTENT + 1;

    private static final int IDS_MAX = 1_000;
    /** No key of a record begins so. */
    private static final byte CURSOR = (byte) 0xff;

    /** What a shard remembers: the ids by group when its present map was fenced. Newer updates reach every home themselves. */
    static final class Memory {
        private int mapVersion;
        private Map<Long, List<DtxTable.Committed>> byGroup = new HashMap<>();
    }

    private final Env env;

    CarriedIds(Env env) {
        this.env = env;
    }

    private List<DtxTable.Committed> of(PoolShard s, ShardAddress a) {
        Memory m = s.carried;
        if (m.mapVersion != s.mapVersion()) {
            m.byGroup = s.dtx().recent(env.nowNs());
            m.mapVersion = s.mapVersion();
        }
        return m.byGroup.getOrDefault(hash(a), List.of());
    }

    private static long hash(ShardAddress a) {
        return DtxEntry.groupHash(a.container(), a.oid(), a.group());
    }

    /** Where the ids begin behind the last record; null if there are none. */
    byte @org.jspecify.annotations.Nullable [] first(PoolShard s, ShardAddress a) {
        return of(s, a).isEmpty() ? null : cursor(0);
    }

    private static byte[] cursor(int at) {
        return ByteBuffer.allocate(5).put(CURSOR).putInt(at).array();
    }

    static boolean isCursor(byte[] from) {
        return from.length == 5 && from[0] == CURSOR;
    }

    Migration.Exported export(PoolShard s, ShardAddress a, byte[] from) {
        List<DtxTable.Committed> all = of(s, a);
        int at = Math.min(ByteBuffer.wrap(from).getInt(1), all.size());
        int end = Math.min(at + IDS_MAX, all.size());
        MigratedRecordMessage.Builder m =
                MigratedRecordMessage.newBuilder().setKind(KIND).setOffset(hash(a));
        for (DtxTable.Committed dtx : all.subList(at, end)) m.addCommitted(LeaderWrites.ref(dtx.id(), dtx.epoch()));
        return new Migration.Exported(
                List.of(m.build()), ByteBuffer.allocate(0), () -> {}, end == all.size() ? null : cursor(end));
    }

    static boolean isCarrier(MigratedRecordMessage m) {
        return m.getKind() == KIND;
    }

    /** Those that are not known here; they are, once the operation is durable and {@link #taken} is told. */
    List<DtxTable.Committed> stage(PoolShard s, MigratedRecordMessage m, StagedOp op) {
        List<DtxTable.Committed> fresh = new ArrayList<>();
        UUID pool = s.pool();
        for (DtxRefMessage ref : m.getCommittedList()) {
            DtxId id = WriteOp.dtxId(ref.getDtx());
            if (s.dtx().committedEpoch(id) != null || s.dtx().prepared(id) != null) continue;
            DtxTable.Committed dtx = new DtxTable.Committed(id, ref.getEpoch(), m.getOffset());
            op.batch()
                    .put(
                            Keys.dtx(pool, id),
                            DtxEntry.encodeCommitted(dtx, env.host().hlcNow()));
            fresh.add(dtx);
        }
        return fresh;
    }

    void taken(PoolShard s, List<DtxTable.Committed> dtxs) {
        for (DtxTable.Committed dtx : dtxs)
            if (s.dtx().committedEpoch(dtx.id()) == null) s.dtx().endCommit(dtx, env.nowNs());
    }
}
