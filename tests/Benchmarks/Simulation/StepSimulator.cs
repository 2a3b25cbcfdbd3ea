namespace Distributed.Benchmarks.Simulation;

/// <summary>What a simulated step took.</summary>
/// <param name="Seconds">From the begin of the forward pass to the last worker's update.</param>
/// <param name="BytesSent">Values, by worker.</param>
/// <param name="Messages">Frames, by worker.</param>
internal sealed record SimulatedStep(double Seconds, IReadOnlyList<long> BytesSent, IReadOnlyList<long> Messages);

/// <summary>
/// Carries out one step of all workers, event by event: every frame of the real plan takes the sender's processor, its line, the latency,
/// the receiver's line and its processor, and waits at each for those before it. All workers begin at the same moment. In seconds of
/// simulated time; the same in every run.
/// </summary>
internal static class StepSimulator
{
    /// <summary>Simulates a step.</summary>
    /// <param name="exchange">Who sends what to whom.</param>
    /// <param name="workload">What is computed.</param>
    /// <param name="costs">What it costs.</param>
    /// <exception cref="InvalidOperationException">The exchange does not end: a worker waits for what nobody sends.</exception>
    public static SimulatedStep Run(Exchange exchange, Workload workload, Costs costs)
    {
        var agenda = new Agenda();
        SimulatedWorker[] workers =
        [
            .. Enumerable.Range(0, exchange.Plan.Workers).Select(number => new SimulatedWorker(number, exchange, workload, costs, agenda)),
        ];
        foreach (var worker in workers)
            worker.Wake(0);
        while (agenda.TryNext(out var number, out var happening, out var now))
            Happen(workers, number, happening, now, agenda);
        return workers.All(worker => worker.IsThrough)
            ? new SimulatedStep(
                workers.Max(worker => worker.End),
                [.. workers.Select(worker => worker.Outgoing.Bytes)],
                [.. workers.Select(worker => worker.Outgoing.Messages)]
            )
            : throw new InvalidOperationException("The exchange does not end: a worker waits for what nobody sends.");
    }

    private static void Happen(SimulatedWorker[] workers, int number, Happening happening, double now, Agenda agenda)
    {
        var worker = workers[number];
        switch (happening)
        {
            case Happening.Arrival:
                Arrive(workers, worker, number, agenda);
                break;
            case Happening.Reception:
                Receive(worker, number, now, agenda);
                break;
            case Happening.Completion:
                worker.Complete(now);
                break;
            default:
                worker.Wake(now);
                break;
        }
    }

    private static void Arrive(SimulatedWorker[] workers, SimulatedWorker sender, int number, Agenda agenda)
    {
        var flight = sender.Outgoing.Next;
        if (workers[flight.To].Incoming.Arrive(flight))
            agenda.Add(flight.To, Happening.Reception, workers[flight.To].Incoming.NextReception);
        if (sender.Outgoing.MoveNext())
            agenda.Add(number, Happening.Arrival, sender.Outgoing.Next.FirstBit);
    }

    private static void Receive(SimulatedWorker worker, int number, double now, Agenda agenda)
    {
        var (flight, available) = worker.Incoming.Receive(now);
        worker.Take(flight, available);
        if (worker.Incoming.NextReception is < double.PositiveInfinity and var next)
            agenda.Add(number, Happening.Reception, next);
    }
}
