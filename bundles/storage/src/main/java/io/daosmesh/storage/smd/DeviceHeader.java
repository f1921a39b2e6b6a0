package io.daosmesh.storage.smd;

import io.daosmesh.model.release.StoredFormat;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.UUID;

/** First block of a device that is in use: whose it is. Immutable. */
public record DeviceHeader(UUID device, UUID engine, String system, long sizeBytes) {
    public static final int BLOCK_BYTES = 4096;
    /** Kept free at the front of each device: the header, and room for what later layouts need. */
    public static final long RESERVED_BYTES = 1L << 20;

    public static Frame.Kind kind(String address) {
        return new Frame.Kind("device header of " + address, 0x314856454d534f41L, StoredFormat.DEVICE_HEADER.newest());
    }

    /** One whole block. */
    public byte[] encode(String address) {
        Encoder out =
                new Encoder().putUuid(device).putUuid(engine).putString(system).putLong(sizeBytes);
        return Arrays.copyOf(Frame.encode(kind(address), out.bytes()), BLOCK_BYTES);
    }

    /** DF_INVAL when damaged, DF_INCOMPT when of a layout this release does not know. */
    public static DeviceHeader decode(String address, byte[] block) {
        return Frame.decode(kind(address), block, DeviceHeader::read);
    }

    private static DeviceHeader read(ByteBuffer in) {
        return new DeviceHeader(Encoder.uuid(in), Encoder.uuid(in), Encoder.string(in), in.getLong());
    }
}
