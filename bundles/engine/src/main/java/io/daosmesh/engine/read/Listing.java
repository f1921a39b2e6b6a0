package io.daosmesh.engine.read;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.lease.LeadReads;
import io.daosmesh.engine.shard.Access;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.vos.Enumerator;
import io.daosmesh.engine.vos.GroupReader;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.EnumerateReply;
import io.daosmesh.model.wire.EnumerateRequest;
import io.daosmesh.model.wire.ExtentMessage;
import io.daosmesh.model.wire.OidMessage;

/** Pages of an enumeration. Owner: target loop. */
public final class Listing {
    private static final int COUNT_MAX = 1024;
    /** Kind of an enumeration. */
    private static final int OBJECTS = 3;

    private final TargetContext context;
    private final PoolShard shard;
    private final Access access;
    private final LeadReads lead;

    public Listing(TargetContext context, PoolShard shard, Access access, LeadReads lead) {
        this.context = context;
        this.shard = shard;
        this.access = access;
        this.lead = lead;
    }

    /** A client's enumeration. */
    public void enumerate(EnumerateRequest r, Answer<EnumerateReply> answer) {
        enumerate(r, false, answer);
    }

    private void enumerate(EnumerateRequest r, boolean isConfirmed, Answer<EnumerateReply> answer) {
        ShardAddress a = ShardAddress.of(r.getAddress());
        access.at(a, answer::refuse, () -> {
            if (r.getKind() == OBJECTS) {
                Access.allow(access.refusal(a));
                Access.allow(access.majority());
            } else {
                if (lead.waits(a, isConfirmed, c -> enumerate(r, c, answer), answer::refuse)) return;
                for (DtxEntry e : shard.dtx().prepared())
                    if (!e.isLed() && e.oid().equals(a.oid()) && e.group() == a.group())
                        throw Reads.undecided().asException();
            }
            shard.counters().enumerations.increment();
            answer.answer(page(a, r), null);
        });
    }

    private EnumerateReply page(ShardAddress a, EnumerateRequest r) {
        int countMax = Math.max(1, Math.min(COUNT_MAX, r.getCountMax()));
        byte[] anchor = r.getAnchor().toByteArray();
        EnumerateReply.Builder reply = EnumerateReply.newBuilder().setMapVersion(shard.mapVersion());
        if (r.getKind() == OBJECTS) {
            return finish(
                    reply,
                    Enumerator.objects(context.kv(), a.pool(), a.container(), anchor, countMax),
                    o -> reply.addObjects(OidMessage.newBuilder()
                            .setHigh(o.oid().high())
                            .setLow(o.oid().low())));
        }
        if (r.getKind() > 0) WriteOp.checkKey(r.getDkey().toByteArray());
        if (r.getKind() == 2) WriteOp.checkKey(r.getAkey().toByteArray());
        byte[] group = a.groupPrefix();
        byte[] userDkey = r.getDkey().toByteArray();
        byte[] dkey = Keys.under(group, userDkey);
        long now = context.host().hlcNow();
        try (GroupReader reader = r.getKind() == 0
                ? new GroupReader(context.kv(), group, now, shard.dtx())
                : GroupReader.within(context.kv(), group, userDkey, now, shard.dtx())) {
            return switch (r.getKind()) {
                case 0 ->
                    finish(
                            reply,
                            Enumerator.dkeys(reader, group, anchor, countMax),
                            k -> reply.addKeys(ByteString.copyFrom(k)));
                case 1 ->
                    finish(
                            reply,
                            Enumerator.akeys(reader.at(userDkey), dkey, anchor, countMax),
                            k -> reply.addKeys(ByteString.copyFrom(k)));
                case 2 ->
                    finish(
                            reply,
                            Enumerator.extents(
                                    reader.at(userDkey), dkey, r.getAkey().toByteArray(), anchor, countMax),
                            x -> reply.addExtents(ExtentMessage.newBuilder()
                                    .setOffset(x.offset())
                                    .setLength(x.length())));
                default ->
                    throw Fault.of(FaultCode.INVAL, "unknown kind of enumeration %d", r.getKind())
                            .asException();
            };
        }
    }

    private static <T> EnumerateReply finish(
            EnumerateReply.Builder reply, Enumerator.Page<T> page, java.util.function.Consumer<T> add) {
        page.items().forEach(add);
        return reply.setAnchor(ByteString.copyFrom(page.anchor()))
                .setEnd(page.isEnd())
                .build();
    }
}
