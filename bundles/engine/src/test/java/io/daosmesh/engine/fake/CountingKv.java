package io.daosmesh.engine.fake;

import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvReader;

/** Counts how often its cursors move: what a lookup costs on any machine. */
public final class CountingKv implements KvReader {
    private final KvReader kv;
    private int moves;

    public CountingKv(KvReader kv) {
        this.kv = kv;
    }

    /** Moves since the last time. */
    public int takeMoves() {
        int n = moves;
        moves = 0;
        return n;
    }

    @Override
    public byte[] get(byte[] key) {
        moves++;
        return kv.get(key);
    }

    @Override
    public KvCursor cursor(KvRange range) {
        KvCursor c = kv.cursor(range);
        return new KvCursor() {
            @Override
            public boolean next() {
                moves++;
                return c.next();
            }

            @Override
            public void seek(byte[] key) {
                moves++;
                c.seek(key);
            }

            @Override
            public byte[] key() {
                return c.key();
            }

            @Override
            public byte[] value() {
                return c.value();
            }

            @Override
            public void close() {
                c.close();
            }
        };
    }
}
