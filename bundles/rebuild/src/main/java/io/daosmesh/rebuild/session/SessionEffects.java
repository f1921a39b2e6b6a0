package io.daosmesh.rebuild.session;

import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.rebuild.pull.PullQueue;
import io.daosmesh.rebuild.pull.Survey;
import io.daosmesh.rebuild.scan.Work;
import java.util.List;

/** What a {@link RankSession} wants done. Each request is answered on the rebuild loop, unless the session has ended. */
public interface SessionEffects {
    /** The objects of these targets are read from now on, in this order, when {@link #readNext} asks. */
    void startScan(List<PoolTarget> targets);

    /**
     * Answered by {@link RankSession#onStored} or {@link RankSession#onScanFailed}; {@link RankSession#onScanEnd} comes
     * in its place, or at once behind the last objects.
     */
    void readNext();

    /** Answered by {@link RankSession#onSent} or {@link RankSession#onSendFailed}. */
    void send(RankSession.Batch batch);

    /**
     * Asks what of these works has changed since they were pulled here, or is gone: all have the same source and the same
     * destination. Answered by {@link RankSession#onSurveyed} or {@link RankSession#onSurveyFailed}.
     */
    void survey(List<Survey.Arrival> works);

    /**
     * Deletes what an earlier stay of the group has left here. Answered by {@link RankSession#onCleared} or
     * {@link RankSession#onPullFailed}.
     */
    void clear(PullQueue.Attempt attempt, long stableEpoch);

    /**
     * Remembers that the work is pulled. Answered by {@link RankSession#onFilled} or {@link RankSession#onPullFailed}.
     */
    void fill(PullQueue.Attempt attempt);

    /**
     * Fetches the work's records and keeps them here. Answered by {@link RankSession#onPulled} or
     * {@link RankSession#onPullFailed}.
     *
     * @param from the work with the holder to be asked
     */
    void pull(PullQueue.Attempt attempt, Work from, long stableEpoch);

    /** {@link RankSession#onTick} is wanted after this time; more often does no harm. */
    void wakeAfter(long delayNs);

    /** The session has ended: cancels everything under way. */
    void cancel();
}
