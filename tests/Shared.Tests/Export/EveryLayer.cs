namespace Distributed.Shared.Tests.Export;

/// <summary>Two models with every kind of layer between them.</summary>
internal static class EveryLayer
{
    public const string OfImages = """
        {"layers":[
          {"type":"conv2d","filters":6,"kernel":[3,5],"padding":"same","bias":false},{"type":"batchnorm"},{"type":"relu"},
          {"type":"maxpool","kernel":3,"stride":2,"padding":1},
          {"type":"residual","layers":[
            {"type":"conv2d","filters":8,"kernel":3,"stride":2,"padding":1},{"type":"leakyrelu","slope":0.2},{"type":"dropout","rate":0.2}],
           "shortcut":[{"type":"avgpool","kernel":[3,2],"stride":2,"padding":[1,0]},{"type":"conv2d","filters":8,"kernel":1},{"type":"tanh"}]},
          {"type":"layernorm"},
          {"type":"residual","layers":[{"type":"gelu"}]},
          {"type":"residual","layers":[{"type":"flatten"},{"type":"dense","units":12},{"type":"sigmoid"}],
           "shortcut":[{"type":"conv2d","filters":12,"kernel":3},{"type":"globalavgpool"},{"type":"flatten"}]},
          {"type":"layernorm"},{"type":"dense","units":16},{"type":"batchnorm"},{"type":"gelu"},{"type":"dropout","rate":0.5}]}
        """;

    public const string OfColumns = """
        {"layers":[{"type":"piecewise","bins":8,"over":"both"},{"type":"embedding"},{"type":"dense","units":24},{"type":"gelu"}]}
        """;
}
