package io.daosmesh.client.dfs;

import io.daosmesh.client.ArrayObject;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** One file on its way in. Owner: its stream; the pieces arrive one after the other. */
final class FileWrite {
    private static final int PIECES_AT_ONCE = 4;
    private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(64 << 10).asReadOnlyBuffer();

    private final ArrayObject array;
    private final DfsEntry.Attributes attributes;
    private final MessageDigest digest = sha256();
    private long size;

    FileWrite(ArrayObject array, DfsEntry.Attributes attributes) {
        this.array = array;
        this.attributes = attributes;
    }

    private record Piece(long offset, ByteBuffer data) {}

    /** Every piece is acknowledged as durable before the entry is made; pieces stay untouched until then. */
    Mono<DfsEntry> run(Flux<ByteBuffer> content) {
        return content.map(this::next)
                // an object that has just been made reads as zeros
                .filter(piece -> !isZero(piece.data()))
                .flatMap(piece -> array.write(piece.offset(), piece.data()), PIECES_AT_ONCE)
                .then(Mono.fromSupplier(() -> new DfsEntry(
                        DfsEntry.Type.FILE,
                        attributes.mode() & DfsEntry.MODE_MASK,
                        attributes.mtimeNs(),
                        size,
                        array.id(),
                        array.chunkBytes(),
                        digest.digest(),
                        "",
                        0)));
    }

    private static boolean isZero(ByteBuffer data) {
        for (int from = data.position(); from < data.limit(); from += ZEROS.capacity()) {
            int length = Math.min(ZEROS.capacity(), data.limit() - from);
            if (data.slice(from, length).mismatch(ZEROS.slice(0, length)) >= 0) return false;
        }
        return true;
    }

    private Piece next(ByteBuffer data) {
        digest.update(data.duplicate());
        Piece piece = new Piece(size, data);
        size += data.remaining();
        return piece;
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
