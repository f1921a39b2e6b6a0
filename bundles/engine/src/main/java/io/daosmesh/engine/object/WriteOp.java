package io.daosmesh.engine.object;

import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ValueRules;
import io.daosmesh.model.wire.DtxMessage;
import io.daosmesh.model.wire.PunchRequest;
import io.daosmesh.model.wire.UpdateRequest;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * An update or a punch. Immutable; {@code data} belongs to the request and is valid until it has been answered.
 *
 * @param level {@link #UPDATE}, or the level of a punch as in PunchRequest
 * @param epoch 0 from a client
 */
public record WriteOp(
        ShardAddress address, int level, byte[] dkey, List<ValueMessage> values, ByteBuffer data, Dtx dtx) {
    public static final int UPDATE = -1;
    public static final int OBJECT = 0;
    public static final int DKEY = 1;
    public static final int AKEYS = 2;
    public static final int EXTENTS = 3;
    /** Values of one request; keeps one operation short on the loop. */
    public static final int VALUES_MAX = 1024;

    static final int INSERT = 1;
    static final int MUST_EXIST = 2;

    /** @param condition 0 none, 1 must not exist, 2 must exist */
    public record Dtx(DtxId id, long epoch, int condition, boolean isResent) {}

    public static WriteOp of(UpdateRequest r, ByteBuffer data) {
        Dtx dtx = new Dtx(dtxId(r.getDtx()), r.getEpoch(), r.getCondition(), r.getResent());
        return new WriteOp(
                ShardAddress.of(r.getAddress()), UPDATE, r.getDkey().toByteArray(), r.getValuesList(), data, dtx);
    }

    public static WriteOp of(PunchRequest r, ByteBuffer data) {
        Dtx dtx = new Dtx(dtxId(r.getDtx()), r.getEpoch(), r.getCondition(), r.getResent());
        return new WriteOp(
                ShardAddress.of(r.getAddress()), r.getLevel(), r.getDkey().toByteArray(), r.getValuesList(), data, dtx);
    }

    public static DtxId dtxId(DtxMessage m) {
        return new DtxId(Ids.uuid(m.getClient()), m.getHlc());
    }

    public static DtxMessage dtxMessage(DtxId id) {
        return DtxMessage.newBuilder()
                .setClient(Ids.bytes(id.client()))
                .setHlc(id.hlc())
                .build();
    }

    public boolean isUpdate() {
        return level == UPDATE;
    }

    public WriteOp withEpoch(long epoch, int mapVersion) {
        return new WriteOp(
                address.withMapVersion(mapVersion),
                level,
                dkey,
                values,
                data,
                new Dtx(dtx.id, epoch, dtx.condition, dtx.isResent));
    }

    byte[] scope() {
        byte[] group = address.groupPrefix();
        return level == OBJECT ? Keys.punches(group) : Keys.under(group, dkey);
    }

    /** Refuses what no retry can make right: INVAL, KEY2BIG, REC2BIG. */
    void check() {
        address.check();
        if (level < UPDATE || level > EXTENTS)
            throw Fault.of(FaultCode.INVAL, "unknown punch level %d", level).asException();
        if (values.size() > VALUES_MAX)
            throw Fault.of(FaultCode.INVAL, "%d values in one request, at most %d", values.size(), VALUES_MAX)
                    .asException();
        if (level != OBJECT) {
            checkKey(dkey);
            if (Placement.groupOf(address.oid(), dkey) != address.group())
                throw Fault.of(FaultCode.INVAL, "the dkey does not belong to group %d", address.group())
                        .asException();
        }
        checkValues();
        long bytes = 0;
        for (ValueMessage v : values) {
            checkKeyLength(v.getAkey().size());
            if (isUpdate()) bytes += v.getLength();
            if (bytes > VosWriter.VALUE_BYTES_MAX || bytes < 0)
                throw Fault.of(FaultCode.REC2BIG, "a request carries at most %d bytes", VosWriter.VALUE_BYTES_MAX)
                        .asException();
        }
        if (isUpdate() && bytes != data.remaining())
            throw Fault.of(FaultCode.INVAL, "values of %d bytes, payload of %d", bytes, data.remaining())
                    .asException();
    }

    private void checkValues() {
        switch (level) {
            case UPDATE -> ValueRules.check(ValueRules.Use.UPDATE, values);
            case EXTENTS -> ValueRules.check(ValueRules.Use.PUNCH_EXTENTS, values);
            // for a whole dkey or object they only say which akeys a condition is about
            default -> ValueRules.check(ValueRules.Use.PUNCH_AKEYS, values);
        }
    }

    /** Of a user: INVAL, KEY2BIG. */
    static void checkKey(byte[] key) {
        if (key.length == 0)
            throw Fault.of(FaultCode.INVAL, "a key has at least one byte").asException();
        checkKeyLength(key.length);
    }

    static void checkKeyLength(int length) {
        if (length > Keys.KEY_BYTES_MAX)
            throw Fault.of(FaultCode.KEY2BIG, "a key of %d bytes, at most %d", length, Keys.KEY_BYTES_MAX)
                    .asException();
    }

    /** Stages all records of this operation at its epoch. */
    void stage(VosWriter writer, VosWriter.Staging to, boolean mayUseReserve, long nowNs) {
        long epoch = dtx.epoch;
        byte[] scope = scope();
        if (level == OBJECT) {
            writer.punch(to, Keys.record(scope, epoch, VosRecord.PUNCH_OBJECT, 0), VosRecord.PUNCH_OBJECT, 0);
            return;
        }
        if (level == DKEY) {
            writer.punch(to, Keys.record(Keys.punches(scope), epoch, VosRecord.PUNCH_DKEY, 0), VosRecord.PUNCH_DKEY, 0);
            return;
        }
        int at = data.position();
        for (ValueMessage v : values) {
            byte[] akey = Keys.under(scope, v.getAkey().toByteArray());
            if (level == AKEYS) {
                writer.punch(to, Keys.record(akey, epoch, VosRecord.PUNCH_AKEY, 0), VosRecord.PUNCH_AKEY, 0);
            } else if (level == EXTENTS) {
                byte[] key = Keys.record(akey, epoch, VosRecord.PUNCH_EXTENT, v.getOffset());
                writer.punch(to, key, VosRecord.PUNCH_EXTENT, v.getLength());
            } else {
                int n = (int) v.getLength();
                int kind = v.getKind() == 0 ? VosRecord.SINGLE : VosRecord.EXTENT;
                byte[] key = Keys.record(akey, epoch, kind, kind == VosRecord.SINGLE ? 0 : v.getOffset());
                writer.value(to, key, data.slice(at, n), v.getCrc32C(), mayUseReserve, nowNs);
                at += n;
            }
        }
    }
}
