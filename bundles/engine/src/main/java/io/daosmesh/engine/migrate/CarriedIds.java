package io.daosmesh.engine.migrate;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.dtx.DtxRoom;
import io.daosmesh.engine.dtx.DtxTable;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.wire.DtxRefMessage;
import io.daosmesh.model.wire.MigratedRecordMessage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

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

    private final TargetContext context;
    private final PoolShard shard;
    /** The ids when the map of {@code mapVersion} was fenced. Newer updates reach every home themselves. */
    private DtxTable.@Nullable Recent recent;

    private int mapVersion;

    CarriedIds(TargetContext context, PoolShard shard) {
        this.context = context;
        this.shard = shard;
    }

    private DtxTable.Recent recent() {
        DtxTable.Recent r = recent;
        if (r == null || mapVersion != shard.mapVersion()) {
            r = shard.dtx().recent(context.nowNs());
            recent = r;
            mapVersion = shard.mapVersion();
        }
        return r;
    }

    /** No rebuild is under way by this map. */
    void onCalm() {
        recent = null;
    }

    private static long hash(ShardAddress a) {
        return DtxEntry.groupHash(a.container(), a.oid(), a.group());
    }

    /** Where the ids begin behind the last record; null if there are none. */
    byte @Nullable [] first(ShardAddress a) {
        return recent().has(hash(a)) ? cursor(0) : null;
    }

    private static byte[] cursor(int at) {
        return ByteBuffer.allocate(5).put(CURSOR).putInt(at).array();
    }

    static boolean isCursor(byte[] from) {
        return from.length == 5 && from[0] == CURSOR;
    }

    Migration.Exported export(ShardAddress a, byte[] from) {
        List<DtxTable.Committed> all = recent().of(hash(a));
        int at = Math.min(ByteBuffer.wrap(from).getInt(1), all.size());
        int end = Math.min(at + IDS_MAX, all.size());
        MigratedRecordMessage.Builder m =
                MigratedRecordMessage.newBuilder().setKind(KIND).setOffset(hash(a));
        for (DtxTable.Committed dtx : all.subList(at, end)) m.addCommitted(WriteOp.dtxRef(dtx.id(), dtx.epoch()));
        return new Migration.Exported(
                List.of(m.build()), ByteBuffer.allocate(0), () -> {}, end == all.size() ? null : cursor(end));
    }

    static boolean isCarrier(MigratedRecordMessage m) {
        return m.getKind() == KIND;
    }

    /** Clients stop at the bound, a rebuild at twice as many: it must not wait for them. */
    boolean areTooMany(List<MigratedRecordMessage> records) {
        DtxRoom room = shard.dtx().room();
        return room.used() >= 2 * room.max() && records.stream().anyMatch(CarriedIds::isCarrier);
    }

    /** Those that are not known here; they are, once the operation is durable and {@link #taken} is told. */
    List<DtxTable.Committed> stage(MigratedRecordMessage m, StagedOp op) {
        List<DtxTable.Committed> fresh = new ArrayList<>();
        UUID pool = shard.pool();
        for (DtxRefMessage ref : m.getCommittedList()) {
            DtxId id = WriteOp.dtxId(ref.getDtx());
            if (shard.dtx().committedEpoch(id) != null || shard.dtx().prepared(id) != null) continue;
            DtxTable.Committed dtx = new DtxTable.Committed(id, ref.getEpoch(), m.getOffset());
            op.batch()
                    .put(
                            Keys.dtx(pool, id),
                            DtxEntry.encodeCommitted(dtx, context.host().hlcNow()));
            fresh.add(dtx);
        }
        return fresh;
    }

    void taken(List<DtxTable.Committed> dtxs) {
        for (DtxTable.Committed dtx : dtxs)
            if (shard.dtx().committedEpoch(dtx.id()) == null) shard.dtx().endCommit(dtx, context.nowNs());
    }
}
