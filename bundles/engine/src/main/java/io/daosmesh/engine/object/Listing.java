package io.daosmesh.engine.object;

import com.google.protobuf.ByteString;
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
final class Listing {
    private static final int COUNT_MAX = 1024;

    private Listing() {}

    static EnumerateReply page(Env env, PoolShard s, ShardAddress a, EnumerateRequest r) {
        int countMax = Math.max(1, Math.min(COUNT_MAX, r.getCountMax()));
        byte[] anchor = r.getAnchor().toByteArray();
        EnumerateReply.Builder reply = EnumerateReply.newBuilder().setMapVersion(s.mapVersion());
        if (r.getKind() == 3) {
            return finish(
                    reply,
                    Enumerator.objects(env.kv(), a.pool(), a.container(), anchor, countMax),
                    o -> reply.addObjects(OidMessage.newBuilder()
                            .setHigh(o.oid().high())
                            .setLow(o.oid().low())));
        }
        if (r.getKind() > 0) WriteOp.checkKey(r.getDkey().toByteArray());
        if (r.getKind() == 2) WriteOp.checkKey(r.getAkey().toByteArray());
        byte[] group = a.groupPrefix();
        try (GroupReader reader = new GroupReader(env.kv(), group, env.host().hlcNow(), s.dtx())) {
            byte[] userDkey = r.getDkey().toByteArray();
            byte[] dkey = Keys.under(group, userDkey);
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
