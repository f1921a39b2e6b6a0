package io.daosmesh.model.port;

import io.daosmesh.model.wire.RasEventMessage;

/** Carries STATE_CHANGE events of this node to those who act on them; published by management. Any thread, never blocks. */
public interface StateEvents {
    /** @param event as it is in this node's log, with its sequence */
    void onStateChange(RasEventMessage event);
}
