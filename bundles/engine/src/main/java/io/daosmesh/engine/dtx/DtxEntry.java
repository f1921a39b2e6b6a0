package io.daosmesh.engine.dtx;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectId;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * A prepared update of one shard: durable, outcome open. Owner: target loop.
 *
 * <p>On disk: layout 1, state, epoch, then for prepared ones map version, container, object, group, scope and the record
 * keys (their common scope cut off), for committed ones the time of the commit.
 */
public final class DtxEntry {
    private static final byte LAYOUT = 1;
    private static final byte PREPARED = 1;
    private static final byte COMMITTED = 2;

    private final DtxId id;
    private final long epoch;
    private final int mapVersion;
    private final UUID container;
    private final ObjectId oid;
    private final int group;
    private final byte[] dkey;
    private final byte[] scope;
    private final List<byte[]> recordKeys;
    private boolean isDurable;
    private boolean isAbortWanted;
    private boolean isSettling;
    private long preparedNs;
    private long nextSettleNs;

    /** Where and under which map the update was prepared. */
    public record Place(int mapVersion, UUID container, ObjectId oid, int group) {}

    /** @param scope prefix of the dkey, or where the punches of the group lie: hides the records from readers */
    public DtxEntry(DtxId id, long epoch, Place place, byte[] dkey, byte[] scope, List<byte[]> recordKeys) {
        this.id = id;
        this.epoch = epoch;
        this.mapVersion = place.mapVersion();
        this.container = place.container();
        this.oid = place.oid();
        this.group = place.group();
        this.dkey = dkey;
        this.scope = scope;
        this.recordKeys = recordKeys;
    }

    public DtxId id() {
        return id;
    }

    public long epoch() {
        return epoch;
    }

    public int mapVersion() {
        return mapVersion;
    }

    public UUID container() {
        return container;
    }

    public ObjectId oid() {
        return oid;
    }

    public int group() {
        return group;
    }

    public byte[] dkey() {
        return dkey;
    }

    public byte[] scope() {
        return scope;
    }

    public List<byte[]> recordKeys() {
        return recordKeys;
    }

    public boolean isDurable() {
        return isDurable;
    }

    public void markDurable() {
        isDurable = true;
    }

    /** Its abort came before it was durable. */
    public boolean isAbortWanted() {
        return isAbortWanted;
    }

    public void wantAbort() {
        isAbortWanted = true;
    }

    public boolean isSettling() {
        return isSettling;
    }

    /** Someone is being asked about the outcome, or it is being applied. */
    public void setSettling(boolean settling) {
        isSettling = settling;
    }

    public long preparedNs() {
        return preparedNs;
    }

    public void setPreparedNs(long ns) {
        preparedNs = ns;
        nextSettleNs = ns;
    }

    public long nextSettleNs() {
        return nextSettleNs;
    }

    public void setNextSettleNs(long ns) {
        nextSettleNs = ns;
    }

    public byte[] encode() {
        int size = 2 + 8 + 4 + 16 + 16 + 4 + 4 + dkey.length + 4 + scope.length + 4;
        for (byte[] k : recordKeys) size += 4 + k.length - scope.length;
        ByteBuffer b = ByteBuffer.allocate(size);
        b.put(LAYOUT).put(PREPARED).putLong(epoch).putInt(mapVersion);
        b.putLong(container.getMostSignificantBits()).putLong(container.getLeastSignificantBits());
        b.putLong(oid.high()).putLong(oid.low()).putInt(group);
        b.putInt(dkey.length).put(dkey).putInt(scope.length).put(scope).putInt(recordKeys.size());
        for (byte[] k : recordKeys) {
            b.putInt(k.length - scope.length).put(k, scope.length, k.length - scope.length);
        }
        return b.array();
    }

    public static byte[] encodeCommitted(long epoch, long committedHlc) {
        return ByteBuffer.allocate(18)
                .put(LAYOUT)
                .put(COMMITTED)
                .putLong(epoch)
                .putLong(committedHlc)
                .array();
    }

    public static boolean isCommitted(byte[] value) {
        if (value.length < 10 || value[0] != LAYOUT)
            throw Fault.of(FaultCode.DF_INCOMPT, "DTX record of an unknown layout")
                    .asException();
        return value[1] == COMMITTED;
    }

    public static long epochOf(byte[] value) {
        return ByteBuffer.wrap(value).getLong(2);
    }

    public static long committedHlcOf(byte[] value) {
        return ByteBuffer.wrap(value).getLong(10);
    }

    public static DtxEntry decode(DtxId id, byte[] value) {
        try {
            ByteBuffer b = ByteBuffer.wrap(value);
            b.position(2);
            long epoch = b.getLong();
            int version = b.getInt();
            UUID container = new UUID(b.getLong(), b.getLong());
            ObjectId oid = new ObjectId(b.getLong(), b.getLong());
            int group = b.getInt();
            byte[] dkey = bytes(b);
            byte[] scope = bytes(b);
            int count = b.getInt();
            List<byte[]> keys = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                byte[] rest = bytes(b);
                byte[] key = new byte[scope.length + rest.length];
                System.arraycopy(scope, 0, key, 0, scope.length);
                System.arraycopy(rest, 0, key, scope.length, rest.length);
                keys.add(key);
            }
            DtxEntry e = new DtxEntry(id, epoch, new Place(version, container, oid, group), dkey, scope, keys);
            e.markDurable();
            return e;
        } catch (BufferUnderflowException | NegativeArraySizeException e) {
            throw Fault.of(FaultCode.DF_INVAL, "a DTX record is damaged").asException();
        }
    }

    private static byte[] bytes(ByteBuffer b) {
        byte[] out = new byte[b.getInt()];
        b.get(out);
        return out;
    }
}
