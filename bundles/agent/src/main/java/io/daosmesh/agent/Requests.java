package io.daosmesh.agent;

import io.daosmesh.model.wire.AgentReply;
import io.daosmesh.model.wire.AgentRequest;
import reactor.core.publisher.Mono;

/** What the socket's server asks of the agent behind it, on the server's loop: nothing here may block. */
interface Requests {
    /** A refusal is a fault inside the reply. */
    Mono<AgentReply> answer(Caller caller, Handles.OfProcess handles, AgentRequest request);

    /** The process has ended, or broke the protocol. */
    void ended(Caller caller, Handles.OfProcess handles);
}
