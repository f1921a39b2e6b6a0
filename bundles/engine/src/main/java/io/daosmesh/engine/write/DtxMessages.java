package io.daosmesh.engine.write;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.wire.DtxBatchRequest;
import io.daosmesh.model.wire.DtxRefMessage;
import io.daosmesh.model.wire.DtxResolveRequest;
import java.util.List;

/** What targets tell and ask each other about DTXs. Stateless. */
final class DtxMessages {
    private DtxMessages() {}

    /** Tells a target the outcome of some. */
    static DtxBatchRequest batch(PoolShard s, PoolTarget to, List<DtxRefMessage> refs) {
        return DtxBatchRequest.newBuilder()
                .setPool(Ids.bytes(s.pool()))
                .setTarget(to.index())
                .setMapVersion(s.mapVersion())
                .addAllDtxs(refs)
                .build();
    }

    static DtxBatchRequest batch(PoolShard s, PoolTarget to, DtxEntry e) {
        return batch(s, to, List.of(WriteOp.dtxRef(e.id(), e.epoch())));
    }

    /** Asks a target what it knows of a prepared one. */
    static DtxResolveRequest question(PoolShard s, PoolTarget to, DtxEntry e) {
        ShardAddress a = new ShardAddress(s.pool(), e.container(), e.oid(), e.group(), s.mapVersion());
        return DtxResolveRequest.newBuilder()
                .setAddress(a.toWire(to.index()))
                .setDkey(ByteString.copyFrom(e.dkey()))
                .setDtx(WriteOp.dtxMessage(e.id()))
                .setEpoch(e.epoch())
                .build();
    }

    /** Asks a target what it knows of any try of an update. */
    static DtxResolveRequest question(PoolTarget to, WriteOp op) {
        return DtxResolveRequest.newBuilder()
                .setAddress(op.address().toWire(to.index()))
                .setDkey(ByteString.copyFrom(op.dkey()))
                .setDtx(WriteOp.dtxMessage(op.dtx().id()))
                .setEpoch(0)
                .build();
    }
}
