package io.daosmesh.client;

import io.daosmesh.client.request.ObjectIo;
import io.daosmesh.client.value.Condition;
import io.daosmesh.client.value.Extent;
import io.daosmesh.client.value.Fetched;
import io.daosmesh.client.value.Read;
import io.daosmesh.client.value.Write;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.ObjectId;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * An array of bytes of any length, cut into chunks: the dkey is the chunk's number in eight bytes, big end first, so that
 * chunks spread over the groups. Any thread. A write of more than one chunk is not one atomic step.
 */
public final class ArrayObject {
    public static final int CHUNK_BYTES = 1 << 20;
    public static final int CHUNK_BYTES_MAX = ObjectIo.REQUEST_BYTES_MAX;

    /** Chunks under way of one call: 4 MiB keep a connection busy. */
    private static final int CHUNKS_AT_ONCE = 4;

    /** Bytes that one read may ask for; longer ones are streamed. */
    private static final int READ_BYTES_MAX = 64 << 20;

    private static final byte[] AKEY = {'0'};

    private final DaosObject object;
    private final int chunkBytes;

    ArrayObject(DaosObject object, int chunkBytes) {
        if (chunkBytes < 1 || chunkBytes > CHUNK_BYTES_MAX) {
            throw Fault.of(FaultCode.INVAL, "chunk size %d outside 1..%d", chunkBytes, CHUNK_BYTES_MAX)
                    .asException();
        }
        this.object = object;
        this.chunkBytes = chunkBytes;
    }

    public ObjectId id() {
        return object.id();
    }

    public int chunkBytes() {
        return chunkBytes;
    }

    /** A part of a range that lies in one chunk. */
    private record Piece(long chunk, int within, int length, int position) {}

    private static List<Piece> pieces(long offset, long length, int chunkBytes) {
        List<Piece> pieces = new ArrayList<>();
        long at = offset;
        long end = offset + length;
        while (at < end) {
            int within = (int) (at % chunkBytes);
            int part = (int) Math.min(chunkBytes - within, end - at);
            pieces.add(new Piece(at / chunkBytes, within, part, (int) (at - offset)));
            at += part;
        }
        return pieces;
    }

    /** Writes the bytes from position to limit, which stay untouched until done. */
    public Mono<Void> write(long offset, ByteBuffer data) {
        return Mono.defer(() -> {
            checkRange(offset, data.remaining());
            return Flux.fromIterable(pieces(offset, data.remaining(), chunkBytes))
                    .flatMap(piece -> writePiece(piece, data), CHUNKS_AT_ONCE)
                    .then();
        });
    }

    private Mono<Void> writePiece(Piece piece, ByteBuffer data) {
        ByteBuffer part = data.slice(data.position() + piece.position(), piece.length());
        return object.update(dkey(piece.chunk()), List.of(Write.array(AKEY, piece.within(), part)), Condition.NONE);
    }

    /** Exactly {@code length} bytes; what was never written reads as zeros. */
    public Mono<ByteBuffer> read(long offset, int length) {
        return Mono.defer(() -> {
            checkRange(offset, length);
            if (length > READ_BYTES_MAX) {
                throw Fault.of(FaultCode.INVAL, "a read asks for at most %d bytes, not %d", READ_BYTES_MAX, length)
                        .remedy("use the stream call")
                        .asException();
            }
            List<Piece> pieces = pieces(offset, length, chunkBytes);
            if (pieces.size() == 1) return readPiece(pieces.get(0));
            ByteBuffer all = ByteBuffer.allocate(length);
            return Flux.fromIterable(pieces)
                    .flatMap(
                            piece -> readPiece(piece)
                                    .doOnNext(
                                            data -> all.put(piece.position(), data, data.position(), data.remaining())),
                            CHUNKS_AT_ONCE)
                    .then(Mono.just(all));
        });
    }

    /** The bytes in order, a chunk at a time; at most four chunks are held for a slow consumer. */
    public Flux<ByteBuffer> stream(long offset, long length) {
        return Flux.defer(() -> {
            checkRange(offset, length);
            long first = offset / chunkBytes;
            long count = length == 0 ? 0 : (offset + length - 1) / chunkBytes - first + 1;
            return Flux.<Piece, Long>generate(() -> 0L, (i, sink) -> {
                        if (i >= count) {
                            sink.complete();
                            return i;
                        }
                        long start = Math.max(offset, (first + i) * chunkBytes);
                        long end = Math.min(offset + length, (first + i + 1) * chunkBytes);
                        sink.next(new Piece(first + i, (int) (start % chunkBytes), (int) (end - start), 0));
                        return i + 1;
                    })
                    .flatMapSequential(this::readPiece, CHUNKS_AT_ONCE, 1);
        });
    }

    private Mono<ByteBuffer> readPiece(Piece piece) {
        return object.fetch(dkey(piece.chunk()), List.of(Read.array(AKEY, piece.within(), piece.length())))
                .map(all -> whole(all.get(0), piece.length()));
    }

    /** A hole at the end of a chunk may be left out of the answer. */
    private static ByteBuffer whole(Fetched fetched, int length) {
        ByteBuffer data = fetched.data();
        if (data.remaining() == length) return data;
        return ByteBuffer.allocate(length).put(data.duplicate()).clear();
    }

    /**
     * One past the last byte that is there; 0 for an empty array. Lists all chunks, page by page, and keeps the last few of
     * them: keep the size yourself if you can.
     */
    public Mono<Long> size() {
        return sizeBefore(Long.MAX_VALUE);
    }

    private Mono<Long> sizeBefore(long bound) {
        return chunks().filter(chunk -> chunk < bound)
                .reduceWith(LastChunks::new, LastChunks::with)
                .flatMap(last -> Flux.fromIterable(last.descending())
                        .concatMap(chunk -> endOf(chunk).filter(end -> end > 0), 1)
                        .next()
                        // all of these were punched since they were listed
                        .switchIfEmpty(Mono.defer(() -> last.isCut() ? sizeBefore(last.smallest()) : Mono.just(0L))));
    }

    private Flux<Long> chunks() {
        return object.listDkeys()
                .filter(key -> key.length == Long.BYTES)
                .map(key -> ByteBuffer.wrap(key).getLong());
    }

    private Mono<Long> endOf(long chunk) {
        return object.listExtents(dkey(chunk), AKEY)
                .reduce(0L, (end, extent) -> Math.max(end, extent.end()))
                .map(end -> end == 0 ? 0 : chunk * chunkBytes + end);
    }

    /** Frees the bytes; they read as zeros. */
    public Mono<Void> punch(long offset, long length) {
        return Flux.defer(() -> {
                    checkRange(offset, length);
                    long first = offset / chunkBytes;
                    long last = length == 0 ? first - 1 : (offset + length - 1) / chunkBytes;
                    // Only chunks that are there: a hole of a terabyte costs nothing.
                    return chunks().filter(chunk -> chunk >= first && chunk <= last);
                })
                .flatMap(chunk -> punchChunk(chunk, offset, offset + length), CHUNKS_AT_ONCE)
                .then();
    }

    private Mono<Void> punchChunk(long chunk, long from, long to) {
        long start = Math.max(0, from - chunk * chunkBytes);
        long end = Math.min(chunkBytes, to - chunk * chunkBytes);
        if (start == 0 && end == chunkBytes) return object.punchDkey(dkey(chunk), Condition.NONE);
        return object.punchExtent(dkey(chunk), AKEY, new Extent(start, end - start));
    }

    /** Removes all of it. */
    public Mono<Void> clear() {
        return object.punch();
    }

    private static void checkRange(long offset, long length) {
        if (offset < 0 || length < 0 || offset + length < 0) {
            throw Fault.of(FaultCode.INVAL, "range of %d bytes at offset %d", length, offset)
                    .asException();
        }
    }

    private static byte[] dkey(long chunk) {
        return ByteBuffer.allocate(Long.BYTES).putLong(chunk).array();
    }
}
