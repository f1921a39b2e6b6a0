package io.daosmesh.engine.fake;

import io.daosmesh.engine.turn.Done;
import io.daosmesh.engine.turn.TurnPipeline;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvStore;
import java.util.ArrayDeque;

/** A loop that runs when told; commits when told, too, if {@code holdsCommits}. */
public final class ManualLoop implements TurnPipeline.Loop, TurnPipeline.TurnIo {
    private final ArrayDeque<Runnable> queue = new ArrayDeque<>();
    private final ArrayDeque<Runnable> commits = new ArrayDeque<>();
    private final KvStore kv;
    private TurnPipeline pipeline = new TurnPipeline(this, this);
    public boolean holdsCommits;
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
    public void commit(KvBatch batch, boolean isDurable, Done done) {
        Runnable write = () -> {
            Fault fault = failure;
            try {
                if (fault == null) kv.write(batch, isDurable);
            } catch (FaultException e) {
                fault = e.fault();
            }
            done.done(fault);
        };
        if (holdsCommits) commits.add(write);
        else write.run();
    }

    /** The process is killed: nothing of what is under way goes on. */
    public void crash() {
        queue.clear();
        commits.clear();
        pipeline = new TurnPipeline(this, this);
        holdsCommits = false;
    }

    /** Runs until nothing is left to do. */
    public void drain() {
        do {
            for (Runnable r = queue.poll(); r != null; r = queue.poll()) r.run();
            pipeline.onDrained();
        } while (!queue.isEmpty());
    }

    public boolean hasCommits() {
        return !commits.isEmpty();
    }

    public void releaseCommit() {
        endCommit();
        drain();
    }

    /** The commit ends; the loop does not run. */
    public void endCommit() {
        commits.remove().run();
    }
}
