"""Settings that have a name: what `nmt train` starts from."""

from nmt.config import Config, ModelConfig, TrainingConfig, VocabularyConfig

PRESETS = {
    # The best that was found for tens of thousands of sentences: for Multi30k, in 57
    # minutes of one core (benchmarks/results.md).
    "base": Config(
        model=ModelConfig(attend_embeddings=True, word_dropout=0.1),
        training=TrainingConfig(epochs=25, batch_tokens=1100),
    ),
    # Better by what models of both directions add to the text, in three to four times
    # the time.
    "best": Config(
        model=ModelConfig(attend_embeddings=True, word_dropout=0.1),
        training=TrainingConfig(epochs=20, batch_tokens=1100, diversify=1),
    ),
    # For a first look, in a sixth of the time: few passes, so less dropout.
    "quick": Config(
        vocabulary=VocabularyConfig(vocabulary_size=6000),
        model=ModelConfig(attend_embeddings=True, dropout=0.3),
        training=TrainingConfig(epochs=4, batch_tokens=1100, warmup_steps=200),
    ),
    # For very many sentences of a few words. A batch of as many pieces as in "base"
    # would be hundreds of them, and too few steps; each is seen too seldom to be learnt
    # by heart.
    "short": Config(
        vocabulary=VocabularyConfig(vocabulary_size=6000),
        model=ModelConfig(attend_embeddings=True, dropout=0.1),
        training=TrainingConfig(batch_tokens=600),
    ),
    "demo": Config(
        vocabulary=VocabularyConfig(vocabulary_size=1000),
        model=ModelConfig(
            embedding_size=128, units=128, attention_units=128, dropout=0.05
        ),
        training=TrainingConfig(
            epochs=4,
            batch_tokens=400,
            learning_rate=5e-3,
            warmup_steps=60,
            label_smoothing=0.05,
            average_decay=0.99,
        ),
    ),
}
