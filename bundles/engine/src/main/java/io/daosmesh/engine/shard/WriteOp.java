package io.daosmesh.engine.shard;

import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.placement.NameSum;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ValueRules;
import io.daosmesh.model.wire.ChangeRequest;
import io.daosmesh.model.wire.DtxMessage;
import io.daosmesh.model.wire.DtxRefMessage;
import io.daosmesh.model.wire.KeyChangeMessage;
import io.daosmesh.model.wire.PunchRequest;
import io.daosmesh.model.wire.UpdateRequest;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * An update, a punch, or an atomic change of several dkeys. Immutable; {@code data} belongs to the request and is valid
 * until it has been answered.
 *
 * @param level {@link #UPDATE}, {@link #CHANGES}, or the level of a punch as in PunchRequest
 * @param dkey of changes: the first one's
 * @param values of changes: all of them, in order
 * @param changes empty unless {@code level} says so
 */
public record WriteOp(
        ShardAddress address,
        int level,
        byte[] dkey,
        List<ValueMessage> values,
        ByteBuffer data,
        Dtx dtx,
        List<KeyChange> changes) {
    public static final int CHANGES = NameSum.CHANGES;
    public static final int UPDATE = NameSum.UPDATE;
    public static final int OBJECT = 0;
    public static final int DKEY = 1;
    public static final int AKEYS = 2;
    public static final int EXTENTS = 3;
    /** Values of one request; keeps one operation short on the loop. */
    public static final int VALUES_MAX = 1024;

    static final int INSERT = 1;
    public static final int MUST_EXIST = 2;

    /**
     * @param epoch 0 from a client
     * @param condition 0 none, 1 must not exist, 2 must exist
     * @param nameSum checksum of what the client has named; 0 = it told none
     */
    public record Dtx(DtxId id, long epoch, int condition, boolean isResent, int nameSum) {
        public Dtx(DtxId id, long epoch, int condition, boolean isResent) {
            this(id, epoch, condition, isResent, 0);
        }
    }

    /** An update or a punch of one dkey or object. */
    public WriteOp(ShardAddress address, int level, byte[] dkey, List<ValueMessage> values, ByteBuffer data, Dtx dtx) {
        this(address, level, dkey, values, data, dtx, List.of());
    }

    public static WriteOp of(ChangeRequest r, ByteBuffer data) {
        Dtx dtx = new Dtx(dtxId(r.getDtx()), r.getEpoch(), 0, r.getResent(), r.getNamesCrc32C());
        return changes(
                ShardAddress.of(r.getAddress()),
                r.getChangesList().stream().map(KeyChange::of).toList(),
                data,
                dtx);
    }

    public static WriteOp changes(ShardAddress address, List<KeyChange> changes, ByteBuffer data, Dtx dtx) {
        List<ValueMessage> values =
                changes.stream().flatMap(c -> c.values().stream()).toList();
        byte[] first = changes.isEmpty() ? new byte[0] : changes.get(0).dkey();
        return new WriteOp(address, CHANGES, first, values, data, dtx, changes);
    }

    public static WriteOp of(UpdateRequest r, ByteBuffer data) {
        Dtx dtx = new Dtx(dtxId(r.getDtx()), r.getEpoch(), r.getConditionValue(), r.getResent(), r.getNamesCrc32C());
        return new WriteOp(
                ShardAddress.of(r.getAddress()), UPDATE, r.getDkey().toByteArray(), r.getValuesList(), data, dtx);
    }

    public static WriteOp of(PunchRequest r, ByteBuffer data) {
        Dtx dtx = new Dtx(dtxId(r.getDtx()), r.getEpoch(), r.getConditionValue(), r.getResent(), r.getNamesCrc32C());
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

    public static DtxRefMessage dtxRef(DtxId id, long epoch) {
        return DtxRefMessage.newBuilder().setDtx(dtxMessage(id)).setEpoch(epoch).build();
    }

    /** It writes values, whatever else it does. */
    public boolean isUpdate() {
        return level == UPDATE || level == CHANGES;
    }

    /** It writes no values. */
    public boolean isDelete() {
        return level == CHANGES ? changes.stream().allMatch(KeyChange::isPunch) : level != UPDATE;
    }

    public boolean isConditional() {
        if (level != CHANGES) return dtx.condition != 0;
        return changes.stream().anyMatch(c -> c.condition() != KeyChangeMessage.Condition.NONE);
    }

    public WriteOp withEpoch(long epoch, int mapVersion) {
        return new WriteOp(
                address.withMapVersion(mapVersion),
                level,
                dkey,
                values,
                data,
                new Dtx(dtx.id, epoch, dtx.condition, dtx.isResent, dtx.nameSum),
                changes);
    }

    /** The same with its bytes in another buffer. */
    public WriteOp withData(ByteBuffer other) {
        return new WriteOp(address, level, dkey, values, other, dtx, changes);
    }

    /** Under which its records lie: readers do not see them there until it is committed. */
    public List<byte[]> scopes() {
        byte[] group = address.groupPrefix();
        if (level == OBJECT) return List.of(Keys.punches(group));
        if (level != CHANGES) return List.of(Keys.under(group, dkey));
        return changes.stream().map(c -> Keys.under(group, c.dkey())).toList();
    }

    /** Refuses what no retry can make right: INVAL, KEY2BIG, REC2BIG; CSUM when its names changed on their way. */
    public void check() {
        address.check();
        checkNames();
        if (level < CHANGES || level > EXTENTS)
            throw Fault.of(FaultCode.INVAL, "unknown punch level %d", level).asException();
        if (values.size() > VALUES_MAX)
            throw Fault.of(FaultCode.INVAL, "%d values in one request, at most %d", values.size(), VALUES_MAX)
                    .asException();
        if (level == CHANGES) KeyChange.check(address, changes);
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

    private void checkNames() {
        if (dtx.nameSum == 0) return;
        NameSum sum = new NameSum(address.container(), address.oid(), level);
        if (level != CHANGES) sum.dkey(dkey, values);
        else changes.forEach(c -> sum.dkey(c.dkey(), c.values()));
        sum.check(dtx.nameSum);
    }

    private void checkValues() {
        switch (level) {
            case UPDATE -> ValueRules.check(ValueRules.Use.UPDATE, values);
            case CHANGES -> {
                // each change for itself
            }
            case EXTENTS -> ValueRules.check(ValueRules.Use.PUNCH_EXTENTS, values);
            // for a whole dkey or object they only say which akeys a condition is about
            default -> ValueRules.check(ValueRules.Use.PUNCH_AKEYS, values);
        }
    }

    /** Of a user: INVAL, KEY2BIG. */
    public static void checkKey(byte[] key) {
        if (key.length == 0)
            throw Fault.of(FaultCode.INVAL, "a key has at least one byte").asException();
        checkKeyLength(key.length);
    }

    public static void checkKeyLength(int length) {
        if (length > Keys.KEY_BYTES_MAX)
            throw Fault.of(FaultCode.KEY2BIG, "a key of %d bytes, at most %d", length, Keys.KEY_BYTES_MAX)
                    .asException();
    }

    /** Stages all records of this operation at its epoch. */
    public void stage(VosWriter writer, VosWriter.Staging to, boolean mayUseReserve, long nowNs) {
        byte[] group = address.groupPrefix();
        if (level == OBJECT) {
            byte[] key = Keys.record(Keys.punches(group), dtx.epoch, VosRecord.PUNCH_OBJECT);
            writer.punch(to, key, VosRecord.PUNCH_OBJECT, 0);
        } else if (level == DKEY) {
            punchDkey(writer, to, Keys.under(group, dkey));
        } else if (level != CHANGES) {
            stageValues(writer, new Part(Keys.under(group, dkey), values, data.position()), to, mayUseReserve, nowNs);
        } else {
            int at = data.position();
            for (KeyChange c : changes) {
                byte[] scope = Keys.under(group, c.dkey());
                if (c.isPunch()) punchDkey(writer, to, scope);
                else at = stageValues(writer, new Part(scope, c.values(), at), to, mayUseReserve, nowNs);
            }
        }
    }

    private void punchDkey(VosWriter writer, VosWriter.Staging to, byte[] scope) {
        byte[] key = Keys.record(Keys.punches(scope), dtx.epoch, VosRecord.PUNCH_DKEY);
        writer.punch(to, key, VosRecord.PUNCH_DKEY, 0);
    }

    /** @param at where the values' bytes begin */
    private record Part(byte[] scope, List<ValueMessage> values, int at) {}

    /** Where the bytes of what follows begin. */
    private int stageValues(VosWriter writer, Part part, VosWriter.Staging to, boolean mayUseReserve, long nowNs) {
        long epoch = dtx.epoch;
        int at = part.at;
        for (ValueMessage v : part.values) {
            byte[] akey = Keys.under(part.scope, v.getAkey().toByteArray());
            if (level == AKEYS) {
                writer.punch(to, Keys.record(akey, epoch, VosRecord.PUNCH_AKEY), VosRecord.PUNCH_AKEY, 0);
            } else if (level == EXTENTS) {
                byte[] key = Keys.extent(akey, epoch, VosRecord.PUNCH_EXTENT, v.getOffset(), v.getLength());
                writer.punch(to, key, VosRecord.PUNCH_EXTENT, v.getLength());
            } else {
                int n = (int) v.getLength();
                int kind = v.getKind() == 0 ? VosRecord.SINGLE : VosRecord.EXTENT;
                byte[] key = kind == VosRecord.SINGLE
                        ? Keys.record(akey, epoch, kind)
                        : Keys.extent(akey, epoch, kind, v.getOffset(), v.getLength());
                writer.value(to, key, data.slice(at, n), v.getCrc32C(), mayUseReserve, nowNs);
                at += n;
            }
        }
        return at;
    }
}
