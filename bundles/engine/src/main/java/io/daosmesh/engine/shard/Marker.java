package io.daosmesh.engine.shard;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.nio.ByteBuffer;

/**
 * What a pool shard remembers over restarts; makes it known to {@link Opening}. Immutable.
 *
 * @param returnedVersion the return whose open updates are noted as gaps
 * @param isOutForDevice excluded because its device was gone or faulty: comes back with the device
 * @param knownVersion newest map version acted by, in this life or a former one: durable before any update of it, never
 *     undercut
 * @param calmVersion newest map version at which no former leader can read by an older one: a restart must not forget to
 *     wait
 * @param blobId number of the blob that what it holds lies on: another one is empty
 */
public record Marker(
        int dataThresholdBytes,
        int returnedVersion,
        boolean isOutForDevice,
        int knownVersion,
        int calmVersion,
        long blobId) {
    /** Of an older release, which did not note it. */
    static final long UNKNOWN_BLOB = -1;

    private static final byte LAYOUT = 1;
    private static final int VERSIONS_BYTES = 18;
    private static final int BYTES = 26;

    static Marker first(int dataThresholdBytes, long blobId) {
        return new Marker(dataThresholdBytes, 0, false, 0, 0, blobId);
    }

    public Marker withReturned(int version) {
        return new Marker(dataThresholdBytes, version, isOutForDevice, knownVersion, calmVersion, blobId);
    }

    public Marker withOutForDevice(boolean isOut) {
        return new Marker(dataThresholdBytes, returnedVersion, isOut, knownVersion, calmVersion, blobId);
    }

    Marker withKnown(int version) {
        return new Marker(dataThresholdBytes, returnedVersion, isOutForDevice, version, calmVersion, blobId);
    }

    public Marker withCalm(int version) {
        return new Marker(dataThresholdBytes, returnedVersion, isOutForDevice, knownVersion, version, blobId);
    }

    Marker withBlob(long id) {
        return new Marker(dataThresholdBytes, returnedVersion, isOutForDevice, knownVersion, calmVersion, id);
    }

    byte[] encode() {
        return ByteBuffer.allocate(BYTES)
                .put(LAYOUT)
                .putInt(dataThresholdBytes)
                .putInt(returnedVersion)
                .put((byte) (isOutForDevice ? 1 : 0))
                .putInt(knownVersion)
                .putInt(calmVersion)
                .putLong(blobId)
                .array();
    }

    /** Of older releases the last parts are missing. */
    static Marker decode(byte[] marker) {
        if (marker.length < 9 || marker[0] != LAYOUT) {
            throw Fault.of(FaultCode.DF_INCOMPT, "marker of a pool shard of an unknown layout")
                    .asException();
        }
        ByteBuffer b = ByteBuffer.wrap(marker);
        boolean hasVersions = marker.length >= VERSIONS_BYTES;
        return new Marker(
                b.getInt(1),
                b.getInt(5),
                marker.length > 9 && marker[9] != 0,
                hasVersions ? b.getInt(10) : 0,
                hasVersions ? b.getInt(14) : 0,
                marker.length >= BYTES ? b.getLong(18) : UNKNOWN_BLOB);
    }
}
