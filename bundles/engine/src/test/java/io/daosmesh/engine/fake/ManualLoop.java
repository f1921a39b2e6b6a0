package io.daosmesh.engine.fake;

import io.daosmesh.engine.target.Done;
import io.daosmesh.engine.target.TurnPipeline;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvStore;
import java.util.ArrayDeque;
import java.util.Set;

/** A loop that runs when told; commits when told, too, if {@code holdsCommits}. */
public final class ManualLoop implements TurnPipeline.Loop, TurnPipeline.TurnIo {
    private final ArrayDeque<Runnable> queue = new ArrayDeque<>();
    private final ArrayDeque<Runnable> commits = new ArrayDeque<>();
    private final KvStore kv;
    private final TurnPipeline pipeline = new TurnPipeline(this, this);
    public boolean holdsCommits;
    public int flushes;
    /** What each commit ends with, if not null. */
    public Fault failure;

    public ManualLoop(KvStore kv) {
        this.kv = kv;
    }

    public TurnPipeline pipeline() {
        return pipeline;
    }

    @Override
    public void execute(Runnable work) {
        queue.add(work);
    }

    @Override
    public void commit(Set<Blob> flush, KvBatch batch, boolean isDurable, Done done) {
        Runnable commit = () -> {
            flushes += flush.size();
            Fault f = failure;
            if (f == null) kv.write(batch, isDurable);
            done.done(f);
        };
        if (holdsCommits) commits.add(commit);
        else commit.run();
    }

    /** Runs until nothing is left to do. */
    public void drain() {
        do {
            for (Runnable r = queue.poll(); r != null; r = queue.poll()) r.run();
            pipeline.onDrained();
        } while (!queue.isEmpty());
    }

    public void releaseCommit() {
        commits.remove().run();
        drain();
    }
}
