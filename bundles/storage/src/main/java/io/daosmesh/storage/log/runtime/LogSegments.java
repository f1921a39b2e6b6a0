package io.daosmesh.storage.log.runtime;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.ScmRegion;
import io.daosmesh.storage.log.LogLimits;
import io.daosmesh.storage.log.LogRecovery;
import io.daosmesh.storage.log.LogWriter;
import io.daosmesh.storage.log.SegmentHeader;
import io.daosmesh.storage.scm.DurableFile;
import io.daosmesh.storage.scm.ScmFolder;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The files of an engine's log, mapped, and the note which of them is in use. Owner: the log's thread, once it runs. */
public final class LogSegments implements LogWriter.Medium, AutoCloseable {
    /** What such files begin with. */
    public static final String PREFIX = "log-";

    private static final Logger log = LoggerFactory.getLogger(LogSegments.class);

    private final LogLimits limits;
    private DurableFile note;
    /** Empty while no driver maps them. */
    private List<ScmRegion> regions = List.of();

    private LogSegments(ScmFolder scm, LogLimits limits) {
        this.limits = limits;
        this.note = note(scm);
    }

    private static DurableFile note(ScmFolder scm) {
        return scm.note(PREFIX + "in-use");
    }

    /** New ones, the first in use. Durable on return. */
    public static void format(ScmFolder scm, UUID engine, LogLimits limits, long nonce) {
        try (LogSegments made = map(scm, limits)) {
            for (int i = 1; i < limits.segmentCount(); i++)
                made.begin(i, new SegmentHeader(engine, 0, nonce, 1, 1, limits));
            made.use(0, new SegmentHeader(engine, 1, nonce, 1, 1, limits));
        }
    }

    /**
     * Those that are there, in the sizes they were made with. IO or NOSPACE when the driver cannot map them, DF_INCOMPT when
     * a release of another layout has written them.
     */
    static LogSegments open(ScmFolder scm) {
        SegmentHeader noted = noted(note(scm));
        return map(scm, noted == null ? sizesWithoutNote(scm) : noted.limits());
    }

    /** As the first header says that can be read. Without any, nothing that the log held can be read in any sizes. */
    private static LogLimits sizesWithoutNote(ScmFolder scm) {
        for (int i = 0; Files.exists(scm.root().resolve(PREFIX + i)); i++) {
            try (ScmRegion front = scm.map(PREFIX + i, LogLimits.ALIGN_BYTES)) {
                SegmentHeader header = header(i, front.bytes());
                if (header != null) return header.limits();
            }
        }
        return LogLimits.usual();
    }

    private static LogSegments map(ScmFolder scm, LogLimits limits) {
        LogSegments made = new LogSegments(scm, limits);
        made.move(scm);
        return made;
    }

    /** The driver has them no longer: nothing can be read or written before {@link #move}. */
    void leave() {
        regions.forEach(ScmRegion::close);
        regions = List.of();
    }

    boolean isAway() {
        return regions.isEmpty();
    }

    /** Another driver maps the same files. IO or NOSPACE when it cannot; they are away then. */
    void move(ScmFolder scm) {
        leave();
        List<ScmRegion> mapped = new ArrayList<>();
        try {
            for (int i = 0; i < limits.segmentCount(); i++) mapped.add(scm.map(PREFIX + i, limits.segmentBytes()));
        } catch (FaultException e) {
            mapped.forEach(ScmRegion::close);
            throw e;
        }
        note = note(scm);
        regions = mapped;
    }

    /** What a start finds. DF_INCOMPT when a release of another layout has written it. */
    LogRecovery recover(UUID engine) {
        List<LogRecovery.Segment> found = new ArrayList<>();
        for (int i = 0; i < regions.size(); i++) found.add(new LogRecovery.Segment(i, header(i), bytes(i)));
        return new LogRecovery(engine, found, noted(note));
    }

    private static @Nullable SegmentHeader header(int segment, ByteBuffer bytes) {
        byte[] block = new byte[LogLimits.ALIGN_BYTES];
        bytes.get(0, block);
        return decode(segment, block);
    }

    private @Nullable SegmentHeader header(int segment) {
        SegmentHeader header = header(segment, bytes(segment));
        if (header == null || header.limits().equals(limits)) return header;
        log.error("segment {} of the engine log belongs to another log, of {}", segment, header.limits());
        return null;
    }

    private static @Nullable SegmentHeader noted(DurableFile note) {
        return note.read().map(bytes -> decode(SegmentHeader.NOTE, bytes)).orElse(null);
    }

    private static @Nullable SegmentHeader decode(int segment, byte[] bytes) {
        try {
            return SegmentHeader.decode(segment, bytes);
        } catch (FaultException e) {
            if (e.code() != FaultCode.DF_INVAL) throw e;
            log.error("{}", e.getMessage());
            return null;
        }
    }

    @Override
    public LogLimits limits() {
        return limits;
    }

    private ByteBuffer bytes(int segment) {
        return regions.get(segment).bytes();
    }

    @Override
    public void write(int segment, int atBytes, ByteBuffer bytes, boolean isDurable) {
        check(regions.get(segment).write(atBytes, bytes, isDurable));
    }

    private static void check(DeviceResult<Boolean> result) {
        if (!result.isOk())
            throw Fault.of(FaultCode.IO, "engine log: %s", result.detail())
                    .remedy("repair the medium of scm_mount, then restart the engine")
                    .asException();
    }

    @Override
    public void use(int segment, SegmentHeader header) {
        begin(segment, header);
        note(header);
    }

    @Override
    public void note(SegmentHeader header) {
        note.write(header.encode(SegmentHeader.NOTE));
    }

    private void begin(int segment, SegmentHeader header) {
        byte[] encoded = header.encode(segment);
        write(segment, 0, ByteBuffer.wrap(Arrays.copyOf(encoded, LogLimits.ALIGN_BYTES)), true);
    }

    @Override
    public void close() {
        leave();
    }
}
