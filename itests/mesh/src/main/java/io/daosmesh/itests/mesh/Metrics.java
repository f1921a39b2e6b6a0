package io.daosmesh.itests.mesh;

import io.daosmesh.cli.mesh.MeshRecord;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/** What Prometheus would scrape from a node. Any thread. */
public final class Metrics {
    private static final HttpClient HTTP =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();

    private Metrics() {}

    public static String scrape(MeshRecord.Entry node) {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + node.telemetry() + "/metrics"))
                .timeout(Duration.ofSeconds(5))
                .build();
        try {
            return HTTP.send(request, HttpResponse.BodyHandlers.ofString()).body();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** All samples of a metric together. */
    public static double sum(String scraped, String name) {
        return samples(scraped, name).sum();
    }

    /** What the mean of a statistic stands for: all that was ever measured, of all labels together. */
    public static double total(String scraped, String statistic) {
        Map<String, Double> counts = byLabels(scraped, statistic + "_samples");
        return byLabels(scraped, statistic + "_mean").entrySet().stream()
                .mapToDouble(mean -> mean.getValue() * counts.getOrDefault(mean.getKey(), 0.0))
                .sum();
    }

    private static Map<String, Double> byLabels(String scraped, String name) {
        return lines(scraped, name)
                .collect(Collectors.toMap(l -> l.substring(name.length(), l.lastIndexOf(' ')), Metrics::value));
    }

    /** The largest sample of a metric over all its labels. */
    public static OptionalDouble max(String scraped, String name) {
        return samples(scraped, name).max();
    }

    private static DoubleStream samples(String scraped, String name) {
        return lines(scraped, name).mapToDouble(Metrics::value);
    }

    private static Stream<String> lines(String scraped, String name) {
        return scraped.lines().filter(l -> l.startsWith(name + " ") || l.startsWith(name + "{"));
    }

    private static double value(String line) {
        return Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
    }
}
