package io.daosmesh.client.dfs;

import io.daosmesh.client.Blocking;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;

/** The file system for callers that wait. Any thread except Reactor's own; streams belong to the thread that uses them. */
public final class BlockingDfs {
    /** Pieces of an input stream: one chunk, one request. */
    private static final int PIECE_BYTES = 1 << 20;

    private final Dfs dfs;

    public BlockingDfs(Dfs dfs) {
        this.dfs = dfs;
    }

    public DfsEntry stat(String path) {
        return Blocking.get(dfs.stat(DfsPath.parse(path)));
    }

    public List<DfsDirectory.Named> list(String path) {
        return Blocking.list(Blocking.get(dfs.directory(DfsPath.parse(path))).list());
    }

    public void makeDirectories(String path) {
        Blocking.get(dfs.makeDirectories(DfsPath.parse(path), 0755));
    }

    /** Reads the stream to its end; the file appears when all of it is durable. */
    public DfsEntry write(String path, int mode, InputStream content) {
        DfsPath at = DfsPath.parse(path);
        DfsDirectory parent = Blocking.get(dfs.directory(at.parent()));
        Instant now = Instant.now();
        long mtimeNs = now.getEpochSecond() * 1_000_000_000L + now.getNano();
        return Blocking.get(dfs.write(parent, at.name(), new DfsEntry.Attributes(mode, mtimeNs), pieces(content)));
    }

    private static Flux<ByteBuffer> pieces(InputStream content) {
        return Flux.generate(sink -> {
            try {
                byte[] piece = content.readNBytes(PIECE_BYTES);
                if (piece.length == 0) {
                    sink.complete();
                } else {
                    sink.next(ByteBuffer.wrap(piece));
                }
            } catch (IOException e) {
                sink.error(new UncheckedIOException(e));
            }
        });
    }

    /** Holds at most a few chunks; closing it early cancels the rest. */
    public InputStream read(String path) {
        return new Pieces(dfs.read(DfsPath.parse(path)));
    }

    public void remove(String path, boolean recursive) {
        Blocking.run(dfs.remove(DfsPath.parse(path), recursive));
    }

    public void rename(String from, String to) {
        Blocking.run(dfs.rename(DfsPath.parse(from), DfsPath.parse(to)));
    }

    /** Chunks as one stream. Owner: its reader. */
    private static final class Pieces extends InputStream {
        private final java.util.stream.Stream<ByteBuffer> stream;
        private final Iterator<ByteBuffer> pieces;
        private @Nullable ByteBuffer current;

        Pieces(Flux<ByteBuffer> content) {
            stream = content.toStream(1);
            pieces = stream.iterator();
        }

        private @Nullable ByteBuffer nextPiece() {
            while (current == null || !current.hasRemaining()) {
                if (!pieces.hasNext()) return null;
                current = pieces.next();
            }
            return current;
        }

        @Override
        public int read() {
            ByteBuffer piece = nextPiece();
            return piece == null ? -1 : piece.get() & 0xff;
        }

        @Override
        public int read(byte[] to, int offset, int length) {
            if (length == 0) return 0;
            ByteBuffer piece = nextPiece();
            if (piece == null) return -1;
            int part = Math.min(length, piece.remaining());
            piece.get(to, offset, part);
            return part;
        }

        @Override
        public void close() {
            stream.close();
        }
    }
}
