package io.daosmesh.spi;

/**
 * What a scan tells about one device. Immutable.
 *
 * @param blockBytes smallest unit and alignment of I/O, a power of two
 * @param numaNode -1 when unknown
 */
public record DeviceInfo(
        String deviceClass,
        String address,
        String model,
        String serial,
        String firmware,
        long sizeBytes,
        int blockBytes,
        int numaNode) {}
