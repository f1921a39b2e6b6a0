package io.daosmesh.model.rpc;

import java.util.concurrent.ScheduledExecutorService;

/**
 * The threads that move this node's messages. A service that answers most requests at once runs there itself, as a DAOS
 * xstream polls the network and serves its target: then no request changes threads. Work there is short (a few ms at most)
 * and never waits. Any thread; for as long as the transport lives, then work is refused with RejectedExecutionException.
 */
public interface EventLoops {
    /**
     * Always the same thread for an index.
     *
     * @param index 0 or more; there are fewer loops than that perhaps, then several share one
     */
    ScheduledExecutorService loop(int index);
}
