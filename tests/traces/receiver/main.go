// An OTLP receiver for tests: the OpenTelemetry Collector's own, over HTTP, on a port that the kernel chooses.
//
// Its log on stderr, a line of JSON an event, names the port. What it takes goes to stdout, a line of OTLP/JSON an
// export, as the Collector's file exporter writes it. With -require NAME=VALUE it takes only what comes with that
// header and answers the rest with 403. It ends when stdin does.
package main

import (
	"context"
	"flag"
	"io"
	"log"
	"os"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func main() {
	require := flag.String("require", "", "NAME=VALUE: a header without which nothing is taken")
	flag.Parse()
	if err := serve(*require); err != nil {
		log.Fatal(err)
	}
}

func serve(require string) error {
	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig().(*otlpreceiver.Config)
	http := config.HTTP.GetOrInsertDefault()
	http.ServerConfig.Endpoint = "127.0.0.1:0"
	http.ServerConfig.IncludeMetadata = true

	logger, err := zap.NewProduction()
	if err != nil {
		return err
	}
	settings := receiver.Settings{
		ID:                component.NewID(factory.Type()),
		TelemetrySettings: componenttest.NewNopTelemetrySettings(),
	}
	settings.Logger = logger

	next, err := consumer.NewTraces(taker(require))
	if err != nil {
		return err
	}
	ctx := context.Background()
	traces, err := factory.CreateTraces(ctx, settings, config, next)
	if err != nil {
		return err
	}
	if err := traces.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return traces.Shutdown(ctx)
}

func taker(require string) consumer.ConsumeTracesFunc {
	name, value, required := strings.Cut(require, "=")
	var printing sync.Mutex
	return func(ctx context.Context, traces ptrace.Traces) error {
		if required && !slices.Contains(client.FromContext(ctx).Metadata.Get(name), value) {
			return status.Error(codes.PermissionDenied, "no "+name+" of yours is known here")
		}
		line, err := (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
		if err != nil {
			return err
		}
		printing.Lock()
		defer printing.Unlock()
		_, err = os.Stdout.Write(append(line, '\n'))
		return err
	}
}
