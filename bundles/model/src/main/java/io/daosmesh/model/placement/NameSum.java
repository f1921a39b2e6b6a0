package io.daosmesh.model.placement;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.wire.ObjectAddress;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * Checksum of what a request names: container, object, keys, offsets and lengths. A value has its own, but a whole value under a
 * changed key would be kept as if it belonged there. Owner: whoever makes it. Pure.
 */
public final class NameSum {
    /** Of an update. */
    public static final int UPDATE = -1;
    /** Of an atomic change of several dkeys. */
    public static final int CHANGES = -2;

    public static final int FETCH = -3;

    private final CRC32C crc = new CRC32C();
    private final ByteBuffer fixed = ByteBuffer.allocate(4 * Long.BYTES + Integer.BYTES);

    /** @param what one of the constants, or the level of a punch as in PunchRequest */
    public NameSum(UUID container, ObjectId oid, int what) {
        fixed.putLong(container.getMostSignificantBits()).putLong(container.getLeastSignificantBits());
        fixed.putLong(oid.high()).putLong(oid.low()).putInt(what);
        update();
    }

    /** Of a request that goes to this address, wherever it is sent on to. */
    public static NameSum at(ObjectAddress address, int what) {
        ObjectId oid = new ObjectId(address.getOidHigh(), address.getOidLow());
        return new NameSum(Ids.uuid(address.getContainer()), oid, what);
    }

    public NameSum dkey(byte[] dkey, List<ValueMessage> values) {
        fixed.putInt(dkey.length).putInt(values.size());
        update();
        crc.update(dkey);
        for (ValueMessage v : values) {
            fixed.putInt(v.getAkey().size()).putInt(v.getKind());
            fixed.putLong(v.getOffset()).putLong(v.getLength()).putInt(v.getCrc32C());
            update();
            crc.update(v.getAkey().asReadOnlyByteBuffer());
        }
        return this;
    }

    private void update() {
        crc.update(fixed.flip());
        fixed.clear();
    }

    /** Never 0, which stands for none. */
    public int sum() {
        int sum = (int) crc.getValue();
        return sum == 0 ? 1 : sum;
    }

    /** Throws CSUM when it is another one that the sender told; 0 is none. */
    public void check(int told) {
        if (told != 0 && told != sum())
            throw Fault.of(FaultCode.CSUM, "the names of a request changed on their way")
                    .asException();
    }
}
