package io.daosmesh.engine.dtx;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.Invariant;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/**
 * A prepared update of one shard: durable, outcome open. Owner: target loop.
 *
 * <p>On disk: layout, state, epoch, then for prepared ones map version, container, object, group, dkey, scope and the
 * record keys (their scope cut off), for committed ones the time of the commit. Layout 1 has one scope; layout 2, only of
 * prepared ones, has several, and with each record key the number of its scope.
 */
public final class DtxEntry {
    private static final byte LAYOUT = 1;
    private static final byte LAYOUT_SCOPES = 2;
    private static final byte PREPARED = 1;
    private static final int COMMITTED_BYTES = 26;
    private static final byte COMMITTED = 2;

    private final DtxId id;
    private final long epoch;
    private final int mapVersion;
    private final UUID container;
    private final ObjectId oid;
    private final int group;
    private final byte[] dkey;
    private final List<byte[]> scopes;
    private final List<byte[]> recordKeys;
    private boolean isLed;
    private boolean isDurable;
    private boolean isAbortWanted;
    private boolean isSettling;
    private long preparedNs;
    private long nextSettleNs;

    /** Where and under which map the update was prepared. */
    public record Place(int mapVersion, UUID container, ObjectId oid, int group) {}

    /**
     * @param dkey one that the update changes: its trace is looked for there
     * @param scopes prefixes of the dkeys, or where the punches of the group lie: hide the records from readers
     */
    public DtxEntry(DtxId id, long epoch, Place place, byte[] dkey, List<byte[]> scopes, List<byte[]> recordKeys) {
        this.id = id;
        this.epoch = epoch;
        this.mapVersion = place.mapVersion();
        this.container = place.container();
        this.oid = place.oid();
        this.group = place.group();
        this.dkey = dkey;
        this.scopes = List.copyOf(scopes);
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

    /** Tells groups apart; that two have the same one costs nothing but a few bytes. */
    public long groupHash() {
        return groupHash(container, oid, group);
    }

    public static long groupHash(UUID container, ObjectId oid, int group) {
        ByteBuffer b = ByteBuffer.allocate(36);
        b.putLong(container.getMostSignificantBits()).putLong(container.getLeastSignificantBits());
        b.putLong(oid.high()).putLong(oid.low()).putInt(group);
        return Placement.hash(b.array());
    }

    /** As the table keeps it once it is committed. */
    public DtxTable.Committed committed() {
        return new DtxTable.Committed(id, epoch, groupHash());
    }

    public List<byte[]> scopes() {
        return scopes;
    }

    /** True if it hides its records in this scope. */
    public boolean isIn(byte[] scope) {
        for (byte[] s : scopes) if (Arrays.equals(s, scope)) return true;
        return false;
    }

    /** True if its records lie under the prefix of a group or of anything above. */
    public boolean isUnder(byte[] prefix) {
        return startsWith(scopes.get(0), prefix);
    }

    public List<byte[]> recordKeys() {
        return recordKeys;
    }

    /** The same entry, not yet led or settled, with its records under other keys. */
    public DtxEntry withRecordKeys(List<byte[]> keys) {
        return new DtxEntry(id, epoch, new Place(mapVersion, container, oid, group), dkey, scopes, keys);
    }

    /** This target leads the update and drives it until it is settled or given up. */
    public boolean isLed() {
        return isLed;
    }

    public void setLed(boolean led) {
        isLed = led;
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
        boolean isOne = scopes.size() == 1;
        int size = 2 + 8 + 4 + 16 + 16 + 4 + 4 + dkey.length + (isOne ? 0 : 1) + 4;
        for (byte[] scope : scopes) size += 4 + scope.length;
        for (byte[] k : recordKeys) size += (isOne ? 4 : 5) + k.length - scopes.get(scopeOf(k)).length;
        ByteBuffer b = ByteBuffer.allocate(size);
        b.put(isOne ? LAYOUT : LAYOUT_SCOPES).put(PREPARED).putLong(epoch).putInt(mapVersion);
        b.putLong(container.getMostSignificantBits()).putLong(container.getLeastSignificantBits());
        b.putLong(oid.high()).putLong(oid.low()).putInt(group);
        b.putInt(dkey.length).put(dkey);
        if (!isOne) b.put((byte) scopes.size());
        for (byte[] scope : scopes) b.putInt(scope.length).put(scope);
        b.putInt(recordKeys.size());
        for (byte[] k : recordKeys) {
            int number = scopeOf(k);
            int from = scopes.get(number).length;
            if (!isOne) b.put((byte) number);
            b.putInt(k.length - from).put(k, from, k.length - from);
        }
        return b.array();
    }

    /** No scope is the start of another: each ends with a terminated key or in the place of none. */
    private int scopeOf(byte[] recordKey) {
        int i = 0;
        while (!startsWith(recordKey, scopes.get(i))) {
            i++;
            Invariant.check(i < scopes.size(), "a record of DTX %s outside of its scopes", id);
        }
        return i;
    }

    private static boolean startsWith(byte[] key, byte[] prefix) {
        return key.length >= prefix.length && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
    }

    public static byte[] encodeCommitted(DtxTable.Committed dtx, long committedHlc) {
        return ByteBuffer.allocate(COMMITTED_BYTES)
                .put(LAYOUT)
                .put(COMMITTED)
                .putLong(dtx.epoch())
                .putLong(committedHlc)
                .putLong(dtx.group())
                .array();
    }

    /** Of a value that is committed; one of an older release does not say its group. */
    public static DtxTable.Committed decodeCommitted(DtxId id, byte[] value) {
        ByteBuffer b = ByteBuffer.wrap(value);
        long group = value.length < COMMITTED_BYTES ? 0 : b.getLong(18);
        return new DtxTable.Committed(id, b.getLong(2), group);
    }

    public static boolean isCommitted(byte[] value) {
        if (value.length < 10 || (value[0] != LAYOUT && value[0] != LAYOUT_SCOPES))
            throw Fault.of(FaultCode.DF_INCOMPT, "DTX record of an unknown layout")
                    .asException();
        return value[1] == COMMITTED;
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
            boolean isOne = value[0] == LAYOUT;
            List<byte[]> scopes = new ArrayList<>();
            for (int n = isOne ? 1 : b.get(); n > 0; n--) scopes.add(bytes(b));
            int count = b.getInt();
            List<byte[]> keys = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                byte[] scope = scopes.get(isOne ? 0 : b.get());
                byte[] rest = bytes(b);
                byte[] key = Arrays.copyOf(scope, scope.length + rest.length);
                System.arraycopy(rest, 0, key, scope.length, rest.length);
                keys.add(key);
            }
            DtxEntry e = new DtxEntry(id, epoch, new Place(version, container, oid, group), dkey, scopes, keys);
            e.markDurable();
            return e;
        } catch (BufferUnderflowException | NegativeArraySizeException | IndexOutOfBoundsException e) {
            throw Fault.of(FaultCode.DF_INVAL, "a DTX record is damaged").asException();
        }
    }

    private static byte[] bytes(ByteBuffer b) {
        byte[] out = new byte[b.getInt()];
        b.get(out);
        return out;
    }
}
