package io.daosmesh.transport.metric;

import io.daosmesh.model.metric.MetricSource;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** What the transport of this process has done, as DAOS's {@code engine_net_*}. Any thread. */
public final class TransportCounters implements MetricSource {
    public final LongAdder requestTimeouts = new LongAdder();
    public final LongAdder failedAddresses = new LongAdder();
    public final LongAdder requestsInFlight = new LongAdder();
    public final LongAdder requestsWaiting = new LongAdder();
    public final LongAdder requestsSent = new LongAdder();
    public final LongAdder requestsServed = new LongAdder();
    public final LongAdder requestsRefused = new LongAdder();
    public final LongAdder requestsBeingServed = new LongAdder();
    public final LongAdder busyRefusals = new LongAdder();
    public final LongAdder bytesSent = new LongAdder();
    public final LongAdder bytesReceived = new LongAdder();
    public final LongAdder connectionsOut = new LongAdder();
    public final LongAdder connectionsIn = new LongAdder();
    public final LongAdder setupsRefused = new LongAdder();
    public final LongAdder framesDamaged = new LongAdder();

    private final Map<String, String> labels;

    /** @param provider tcp+tls or tcp */
    public TransportCounters(String provider) {
        this.labels = Map.of("provider", provider);
    }

    @Override
    public void collect(Sink sink) {
        counter(sink, "engine_net_req_timeout", "Requests that met their deadline", requestTimeouts);
        counter(sink, "engine_net_failed_addr", "Connects that failed", failedAddresses);
        gauge(sink, "engine_net_req_in_flight", "Requests sent and not answered yet", requestsInFlight);
        gauge(sink, "engine_net_req_waiting", "Requests that wait for their turn to a peer", requestsWaiting);
        counter(sink, "engine_net_req_sent", "Requests sent", requestsSent);
        counter(sink, "engine_net_req_served", "Requests of peers that were answered", requestsServed);
        counter(sink, "engine_net_req_refused", "Requests of peers that were refused", requestsRefused);
        gauge(sink, "engine_net_req_being_served", "Requests of peers under way here", requestsBeingServed);
        counter(sink, "engine_net_busy", "Requests refused because a limit in flight was reached", busyRefusals);
        counter(sink, "engine_net_bytes_sent", "Bulk bytes sent", bytesSent);
        counter(sink, "engine_net_bytes_received", "Bulk bytes received", bytesReceived);
        gauge(sink, "engine_net_connections_out", "Open connections to peers", connectionsOut);
        gauge(sink, "engine_net_connections_in", "Open connections of peers", connectionsIn);
        counter(sink, "engine_net_setup_refused", "Connections refused for system, protocol or role", setupsRefused);
        counter(sink, "engine_net_frames_damaged", "Frames on clear channels whose checksum was wrong", framesDamaged);
    }

    private void counter(Sink sink, String name, String help, LongAdder value) {
        sink.counter(name, help, labels, value.sum());
    }

    private void gauge(Sink sink, String name, String help, LongAdder value) {
        sink.gauge(name, help, labels, value.sum());
    }
}
