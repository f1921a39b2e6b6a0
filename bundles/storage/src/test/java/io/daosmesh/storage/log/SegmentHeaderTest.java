package io.daosmesh.storage.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.smd.Frame;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The sizes of a log come from its headers, and nowhere else. */
class SegmentHeaderTest {
    private static final UUID ENGINE = new UUID(1, 2);
    private static final int ENVELOPE_BYTES = 24;
    private static final LogLimits OTHER = new LogLimits(1 << 20, 9);

    private static SegmentHeader header(LogLimits limits) {
        return new SegmentHeader(ENGINE, 3, 4, 5, 6, limits);
    }

    @Test
    void shouldSayTheSizesOfItsLog() {
        for (LogLimits limits : new LogLimits[] {LogLimits.usual(), OTHER})
            assertEquals(header(limits), SegmentHeader.decode(0, header(limits).encode(0)));
    }

    /** As releases wrote it whose segments were 16 of 8 MiB, always. */
    @Test
    void shouldReadAHeaderThatSaysNoSizes() {
        ByteBuffer payload = ByteBuffer.allocate(48).order(ByteOrder.LITTLE_ENDIAN);
        payload.putLong(1).putLong(2).putLong(3).putLong(4).putLong(5).putLong(6);
        byte[] old = Frame.encode(kind(1), payload.array());
        // no checksum of the envelope either
        ByteBuffer.wrap(old).putInt(20, 0);

        assertEquals(header(new LogLimits(8 << 20, 16)), SegmentHeader.decode(0, old));
    }

    private static Frame.Kind kind(int version) {
        return new Frame.Kind("segment 0", 0x31474f4c4d534f41L, version);
    }

    /** A release that knows no sizes refuses a log whose sizes are others than those it takes for granted. */
    @Test
    void shouldKeepOtherSizesFromReleasesThatDoNotReadThem() {
        assertEquals(
                56, Frame.decode(kind(1), header(LogLimits.usual()).encode(0)).remaining());

        byte[] other = header(OTHER).encode(0);
        assertEquals(FaultCode.DF_INCOMPT, codeOf(() -> Frame.decode(kind(1), other)));
    }

    private static FaultCode codeOf(org.junit.jupiter.api.function.Executable work) {
        return assertThrows(FaultException.class, work).code();
    }

    @Test
    void shouldTellEveryDamagedByte() {
        byte[] good = header(OTHER).encode(0);
        for (int at = 0; at < good.length; at++) {
            byte[] bad = good.clone();
            bad[at] ^= 0x10;
            assertEquals(FaultCode.DF_INVAL, codeOf(() -> SegmentHeader.decode(0, bad)), "byte " + at);
        }
    }

    @Test
    void shouldRefuseSizesNoLogHasForAllThatTheChecksumIsRight() {
        int[][] wrong = {{0, 16}, {4095, 16}, {-8 << 20, 16}, {8 << 20, 5}, {8 << 20, 1 << 20}, {1 << 31, 16}};
        for (int[] sizes : wrong) {
            byte[] payload = Arrays.copyOfRange(
                    header(OTHER).encode(0), ENVELOPE_BYTES, header(OTHER).encode(0).length);
            ByteBuffer.wrap(payload)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(48, sizes[0])
                    .putInt(52, sizes[1]);
            byte[] bad = Frame.encode(kind(2), payload);
            assertEquals(FaultCode.DF_INVAL, codeOf(() -> SegmentHeader.decode(0, bad)), Arrays.toString(sizes));
        }
    }
}
