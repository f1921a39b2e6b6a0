package io.daosmesh.rebuild.plan;

import io.daosmesh.model.fault.Fault;

/** What a {@link RebuildJob} asks of the outside; answers come back as the job's own events. */
public interface RebuildEffects {
    void sendPrepare(int rank);

    void sendScan(int rank, long stableEpoch);

    void sendStatus(int rank);

    /** Commit the end of the rebuild in the pool map. */
    void commit();

    /** Tell every participant that the session is over. */
    void finish(boolean aborted);

    /** The job gave up; it may be started again as a new session. */
    void failed(Fault reason);
}
